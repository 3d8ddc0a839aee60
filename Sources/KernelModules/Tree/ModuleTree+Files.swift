package import Storage

extension ModuleTree {
    private static let depthLimit = 24
    private static let entryLimit = 200_000

    /// Walks the directory for modules. Of two files for one module the one counts that depmod's own default prefers:
    /// below updates, then the rest in the order of paths. Directories of headers are not entered.
    func walk() throws(StorageError) -> [String: KernelModule] {
        guard let directory else { return [:] }
        var result: [String: KernelModule] = [:]
        var waiting: [(path: String, depth: Int)] = [("", 0)]
        var seen = 0
        while let (relative, depth) = waiting.popLast() {
            try Cancellation.check()
            let path = relative.isEmpty ? directory : "\(directory)/\(relative)"
            for entry in try store.entries(of: path) ?? [] {
                seen += 1
                guard seen <= Self.entryLimit, depth < Self.depthLimit else {
                    throw .modules(
                        .corrupt, .treeTooLarge, "is no kernel's: it holds more files, or lies deeper",
                        path: directory)
                }
                let child = relative.isEmpty ? entry.name : "\(relative)/\(entry.name)"
                if entry.isDirectory {
                    // Links in an installed kernel; copies of sources elsewhere.
                    if relative.isEmpty, entry.name == "build" || entry.name == "source" { continue }
                    waiting.append((child, depth + 1))
                } else if let module = KernelModule(path: child) {
                    if let other = result[module.name], !Self.isPreferred(child, to: other.path) { continue }
                    result[module.name] = module
                }
            }
        }
        return result
    }

    private static func isPreferred(_ path: String, to other: String) -> Bool {
        let ranks = [path, other].map { $0.hasPrefix("updates/") ? 0 : 1 }
        return ranks[0] == ranks[1] ? path < other : ranks[0] < ranks[1]
    }

    /// The module of that name, by modules.dep, else by its file. Nil when the tree has none.
    package func module(_ name: String) throws(StorageError) -> KernelModule? {
        let name = ModuleName.canonical(name)
        if let line = try dependencyIndex()?.line(name) {
            // A path that leads nowhere makes the index stale.
            if let path = path(of: line.module.path), try store.byteCount(of: path) != nil {
                return line.module
            }
        }
        return try files()[name]
    }

    /// The modules that `module` depends on directly or not, by modules.dep while it tells the truth, else by
    /// `.modinfo`. In no certain order.
    func listedDependencies(of module: KernelModule) throws(StorageError) -> [String] {
        if let line = try dependencyIndex()?.line(module.name), line.module == module {
            return line.dependencies.reversed().compactMap { ModuleName.ofFile($0) }
        }
        return try info(of: module).dependencies
    }
}
