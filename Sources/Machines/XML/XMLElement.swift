/// An element of a description, without the prefixes of namespaces: dialects differ in those and agree in the names.
struct XMLElement: Sendable {
    /// Its name behind the prefix.
    let name: String
    /// Its attributes, names behind the prefix.
    let attributes: [(name: String, value: String)]
    /// The text directly in it.
    var text = ""
    /// The elements directly in it.
    var children: [XMLElement] = []

    /// The first attribute of that name.
    func attribute(_ name: String) -> String? { attributes.first { $0.name == name }?.value }

    /// The elements of that name directly in it.
    func children(named name: String) -> [XMLElement] { children.filter { $0.name == name } }

    /// The first of those.
    func child(_ name: String) -> XMLElement? { children.first { $0.name == name } }

    /// The element that a path of names leads to, the first at each step.
    func child(_ first: String, _ rest: String...) -> XMLElement? {
        var found = child(first)
        for name in rest { found = found?.child(name) }
        return found
    }

    /// Its text without spaces around it; nil where there is none.
    var value: String? {
        let value = text.trimmed
        return value.isEmpty ? nil : value
    }

    /// The value of the first element of that name directly in it.
    func value(of name: String) -> String? { child(name)?.value }

    /// What the elements of that name directly in it list: CIM's lists stand in several elements, or in one with blanks between.
    /// Each element's whole text comes first.
    func list(of name: String) -> [String] {
        children(named: name).compactMap(\.value).flatMap { text in
            let words = text.split { $0.isWhitespace || $0 == "," }.map(String.init)
            return words.count > 1 ? [text] + words : [text]
        }
    }
}

extension String {
    /// Without spaces and line ends around it.
    var trimmed: String {
        let start = drop { $0.isWhitespace }
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...last])
    }
}

extension Substring {
    /// Without spaces and line ends around it.
    var trimmed: String { String(self).trimmed }
}
