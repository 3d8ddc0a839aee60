internal import Storage

/// What a module asks to be loaded before and after it: a line of modules.softdep, or `softdep=` of `.modinfo`.
package struct SoftDependency: Hashable, Sendable {
    /// Before it.
    package var before: [String] = []
    /// After it.
    package var after: [String] = []

    private enum Place { case none, before, after }

    /// From "pre: a b post: c". Words before either mean nothing.
    package init(_ words: [String]) {
        var place = Place.none
        for word in words {
            switch word {
            case "pre:": place = .before
            case "post:": place = .after
            default:
                switch place {
                case .none: break
                case .before: before.append(word)
                case .after: after.append(word)
                }
            }
        }
    }

    /// The text behind the module's name, as depmod writes it.
    package init(text: String) { self.init(text.split { $0 == " " || $0 == "\t" }.map(String.init)) }
}

/// modules.softdep.
package struct SoftDependencies: Sendable {
    /// A line: the module by canonical name, and the words behind it.
    package struct Line: Hashable, Sendable {
        package var module: String
        package var text: String
    }

    /// All lines in their order.
    package private(set) var lines: [Line] = []
    private var places: [String: [Int]] = [:]

    /// None.
    package init() {}

    /// From the text of modules.softdep: lines of `softdep MODULE pre: … post: …`.
    package init(text: [UInt8]) {
        let parsed = IndexLines(bytes: text)
        var found: [Line] = []
        parsed.forEach { words, _ in
            guard words.count >= 2, parsed.text(words[0]) == "softdep" else { return }
            found.append(
                Line(
                    module: ModuleName.canonical(parsed.text(words[1])),
                    text: words[2...].map(parsed.text).joined(separator: " ")))
        }
        for line in found { append(line) }
    }

    mutating func append(_ line: Line) {
        places[line.module, default: []].append(lines.count)
        lines.append(line)
    }

    /// What `module` asks for. As in kmod, the first line about it is the one that counts.
    package func of(_ module: String) -> SoftDependency? {
        places[module]?.first.map { SoftDependency(text: lines[$0].text) }
    }
}
