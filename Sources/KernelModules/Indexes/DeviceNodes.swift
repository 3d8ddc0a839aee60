internal import Storage

/// modules.devname: device nodes that load a module when they are opened.
package struct DeviceNodes: Sendable {
    /// A line: "fuse fuse c10:229".
    package struct Line: Hashable, Sendable {
        package var module: String
        package var text: String
    }

    /// All lines.
    package private(set) var lines: [Line] = []

    /// None.
    package init() {}

    /// From its text.
    package init(text: [UInt8]) {
        let parsed = IndexLines(bytes: text)
        var found: [Line] = []
        parsed.forEach { words, line in
            guard words.count >= 3 else { return }
            found.append(
                Line(module: ModuleName.canonical(parsed.text(words[0])), text: parsed.text(line)))
        }
        lines = found
    }
}
