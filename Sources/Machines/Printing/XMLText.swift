/// XML under construction: elements indented, everything escaped.
struct XMLText {
    private var lines: [String] = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"]
    private var open: [String] = []

    /// Adds a comment.
    mutating func comment(_ text: String) {
        add(
            "<!-- \(text.split(separator: "--", omittingEmptySubsequences: false).joined(separator: "- -")) -->"
        )
    }

    /// Adds an element without content, or with text.
    mutating func element(_ name: String, _ attributes: [(String, String)] = [], _ text: String? = nil) {
        let start = "<\(name)\(Self.list(attributes))"
        add(text.map { "\(start)>\(Self.escaped($0))</\(name)>" } ?? "\(start)/>")
    }

    /// Adds an element with what `body` adds.
    mutating func element(
        _ name: String, _ attributes: [(String, String)] = [], body: (inout XMLText) -> Void
    ) {
        add("<\(name)\(Self.list(attributes))>")
        open.append(name)
        body(&self)
        open.removeLast()
        add("</\(name)>")
    }

    /// The document.
    var text: String { lines.joined(separator: "\n") + "\n" }

    private mutating func add(_ line: String) {
        lines.append(String(repeating: "  ", count: open.count) + line)
    }

    private static func list(_ attributes: [(String, String)]) -> String {
        attributes.map { " \($0.0)=\"\(escaped($0.1))\"" }.joined()
    }

    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
