package import Storage

/// The indexes of a private tree that holds chosen modules of a kernel, as depmod would write them for it.
package struct ModuleIndexes: Sendable {
    /// A file of the tree's directory.
    package struct File: Hashable, Sendable {
        /// "modules.dep" and so on.
        package var name: String
        package var bytes: [UInt8]
    }

    /// A module with the paths that it depends on, in the order of modules.dep: what is loaded first stands last.
    package struct Entry: Hashable, Sendable {
        package var module: KernelModule
        package var dependencies: [String]
    }

    /// The modules, in the order that decides among those for one device.
    package var entries: [Entry]
    /// Their aliases.
    package var aliases: [AliasIndex.Line]
    /// What `symbol:NAME` leads to.
    package var symbols: [AliasIndex.Line]
    /// What they ask for.
    package var softDependencies: [SoftDependencies.Line]
    /// Device nodes that load them.
    package var deviceNodes: [DeviceNodes.Line]
    /// What is built into the kernel; nil where nothing tells.
    package var builtin: BuiltinModules?

    /// The same of a tree whose files have other paths.
    package func renamed(_ path: (String) -> String) -> ModuleIndexes {
        var result = self
        result.entries = entries.map { entry in
            var module = entry.module
            module.path = path(module.path)
            return Entry(module: module, dependencies: entry.dependencies.map(path))
        }
        return result
    }

    /// Every index: the text and kmod's binary form, which is the one that it reads. Throws `misuse` for names that no
    /// index can hold.
    package func files() throws(StorageError) -> [File] {
        var files: [File] = [
            File(name: "modules.order", bytes: text(entries.map(\.module.path))),
            File(name: "modules.dep", bytes: text(entries.map(line))),
            File(name: "modules.dep.bin", bytes: try dependencyIndex()),
            File(
                name: "modules.alias",
                bytes: text(["# Aliases extracted from modules themselves."] + aliases.map(line))),
            File(name: "modules.alias.bin", bytes: try aliasIndex(aliases)),
            File(
                name: "modules.symbols",
                bytes: text(["# Aliases for symbols, used by symbol_request()."] + symbols.map(line))),
            File(name: "modules.symbols.bin", bytes: try aliasIndex(symbols)),
            File(
                name: "modules.softdep",
                bytes: text(
                    ["# Soft dependencies extracted from modules themselves."]
                        + softDependencies.map { "softdep \($0.module) \($0.text)" })),
            File(
                name: "modules.devname",
                bytes: text(
                    deviceNodes.isEmpty
                        ? []
                        : ["# Device nodes to trigger on-demand module loading."] + deviceNodes.map(\.text))),
        ]
        if let builtin {
            if !builtin.paths.isEmpty {
                files.append(File(name: "modules.builtin", bytes: text(builtin.paths)))
            }
            files.append(File(name: "modules.builtin.bin", bytes: try builtinIndex(builtin)))
            if let modinfo = builtin.modinfo {
                files.append(File(name: "modules.builtin.modinfo", bytes: modinfo))
            }
            if let aliases = builtin.aliases {
                files.append(File(name: "modules.builtin.alias.bin", bytes: try builtinAliasIndex(aliases)))
            }
        }
        return files
    }

    private func line(_ entry: Entry) -> String {
        ([entry.module.path + ":"] + entry.dependencies).joined(separator: " ")
    }

    private func line(_ alias: AliasIndex.Line) -> String { "alias \(alias.alias) \(alias.module)" }

    private func text(_ lines: [String]) -> [UInt8] {
        lines.flatMap { $0.hostBytes + [UInt8(ascii: "\n")] }
    }

    private func dependencyIndex() throws(StorageError) -> [UInt8] {
        let builder = BinaryIndexBuilder()
        for (index, entry) in entries.enumerated() {
            try builder.insert(entry.module.name, line(entry), priority: UInt32(truncatingIfNeeded: index))
        }
        return try builder.bytes()
    }

    private func aliasIndex(_ lines: [AliasIndex.Line]) throws(StorageError) -> [UInt8] {
        var priorities: [String: UInt32] = [:]
        for (index, entry) in entries.enumerated() {
            priorities[entry.module.name] = UInt32(truncatingIfNeeded: index)
        }
        let builder = BinaryIndexBuilder()
        for line in lines {
            try builder.insert(
                AliasPattern.normalized(line.alias), line.module, priority: priorities[line.module] ?? 0)
        }
        return try builder.bytes()
    }

    private func builtinIndex(_ builtin: BuiltinModules) throws(StorageError) -> [UInt8] {
        let builder = BinaryIndexBuilder()
        for name in builtin.sortedNames { try builder.insert(name, "", priority: 0) }
        return try builder.bytes()
    }

    private func builtinAliasIndex(_ aliases: AliasIndex) throws(StorageError) -> [UInt8] {
        let builder = BinaryIndexBuilder()
        for line in aliases.lines {
            try builder.insert(AliasPattern.normalized(line.alias), line.module, priority: 0)
        }
        return try builder.bytes()
    }
}
