package import Storage

/// What is built into a kernel that could have been modules: modules.builtin and modules.builtin.modinfo.
package struct BuiltinModules: Sendable {
    /// Paths, as in modules.builtin, "kernel/fs/ext4/ext4.ko".
    package private(set) var paths: [String] = []
    /// Their aliases, from modules.builtin.modinfo (Linux 5.2) or modules.builtin.alias.bin. Nil when the tree has
    /// neither.
    package private(set) var aliases: AliasIndex?
    /// modules.builtin.modinfo as it is.
    package private(set) var modinfo: [UInt8]?
    private var names: Set<String> = []

    /// From the text of modules.builtin.
    package init(text: [UInt8]) {
        let lines = IndexLines(bytes: text)
        var found: [String] = []
        lines.forEach { words, _ in found.append(lines.text(words[0])) }
        for path in found { add(path) }
    }

    /// From modules.builtin.bin, which has names alone.
    package init(_ index: BinaryIndex) throws(StorageError) {
        for entry in try index.entries() { names.insert(ModuleName.canonical(String(hostBytes: entry.key))) }
    }

    private mutating func add(_ path: String) {
        guard let name = ModuleName.ofFile(path) else { return }
        paths.append(path)
        names.insert(name)
    }

    /// Takes modules.builtin.modinfo: pieces of `MODULE.KEY=VALUE`, a NUL behind each.
    package mutating func addInformation(_ bytes: [UInt8]) {
        modinfo = bytes
        var index = AliasIndex()
        for piece in bytes.split(separator: 0) {
            guard let equals = piece.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let head = piece[..<equals]
            // A module's name has no dot.
            guard let dot = head.firstIndex(of: UInt8(ascii: ".")) else { continue }
            guard head[(dot + 1)...].elementsEqual("alias".utf8) else { continue }
            index.append(alias: piece[(equals + 1)...], module: head[..<dot])
        }
        aliases = index
    }

    /// Takes modules.builtin.alias.bin.
    package mutating func addAliases(_ index: BinaryIndex) throws(StorageError) {
        aliases = try AliasIndex(index)
    }

    /// All names, sorted.
    package var sortedNames: [String] { names.sorted() }

    /// Whether the module of that canonical name is built in.
    package func contains(_ name: String) -> Bool { names.contains(name) }
}
