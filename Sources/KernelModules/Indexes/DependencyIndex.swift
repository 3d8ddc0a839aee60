package import Storage

/// A module of a tree: its name and where its file lies.
package struct KernelModule: Hashable, Sendable {
    /// The canonical name, "virtio_blk".
    package var name: String
    /// The path below the tree's directory, "kernel/drivers/block/virtio_blk.ko.xz"; one that begins with "/" lies
    /// elsewhere.
    package var path: String

    /// Makes one.
    package init(name: String, path: String) {
        self.name = name
        self.path = path
    }

    /// The module in the file `path`; nil when it is none.
    package init?(path: String) {
        guard let name = ModuleName.ofFile(path) else { return nil }
        self.init(name: name, path: path)
    }
}

/// modules.dep: where modules are and what they depend on.
package struct DependencyIndex: Sendable {
    /// A line.
    package struct Line: Hashable, Sendable {
        package var module: KernelModule
        /// Paths in the line's order: what has to be loaded first stands last.
        package var dependencies: [String]
    }

    /// All lines in their order.
    package private(set) var lines: [Line] = []
    private var places: [String: Int] = [:]

    /// From the text of modules.dep: `PATH: PATH…`. Kernels before 2.6.2x have absolute paths, which become relative to
    /// `directory`.
    package init(text: [UInt8], release: String) {
        let parsed = IndexLines(bytes: text)
        var found: [Line] = []
        parsed.forEach { words, _ in
            guard text[words[0]].last == UInt8(ascii: ":") else { return }
            let path = Self.relative(parsed.text(words[0].dropLast()), release)
            guard let module = KernelModule(path: path) else { return }
            found.append(
                Line(
                    module: module,
                    dependencies: words.dropFirst().map { Self.relative(parsed.text($0), release) }))
        }
        for line in found { append(line) }
    }

    /// From modules.dep.bin, whose values are lines of the text, in the order of priority.
    package init(_ index: BinaryIndex, release: String) throws(StorageError) {
        var values: [BinaryIndex.Value] = []
        for entry in try index.entries() { values += entry.values }
        let order = values.indices.sorted { (values[$0].priority, $0) < (values[$1].priority, $1) }
        var text: [UInt8] = []
        for index in order { text += values[index].text + [UInt8(ascii: "\n")] }
        self.init(text: text, release: release)
    }

    private mutating func append(_ line: Line) {
        // Of two files for one module the first is the one that is loaded.
        if places[line.module.name] == nil { places[line.module.name] = lines.count }
        lines.append(line)
    }

    /// The line of the module of that canonical name.
    package func line(_ name: String) -> Line? { places[name].map { lines[$0] } }

    private static func relative(_ path: String, _ release: String) -> String {
        guard path.hasPrefix("/") else { return path }
        for directory in ["/lib/modules/\(release)/", "/usr/lib/modules/\(release)/"]
        where path.hasPrefix(directory) {
            return String(path.dropFirst(directory.count))
        }
        return path
    }
}

extension Range where Bound == Int {
    fileprivate func dropLast() -> Range { lowerBound..<upperBound - 1 }
}
