package import Storage

extension ModuleTree {
    /// The indexes of a tree that holds these modules and no others. Every module that one of them depends on and that is
    /// not built in has to be among them: throws `misuse`, code "incomplete-set".
    package func indexes(of modules: [KernelModule]) throws(StorageError) -> ModuleIndexes {
        var chosen: Set<String> = []
        for module in modules { chosen.insert(module.name) }
        let ordered = try inBuildOrder(modules)
        var entries: [ModuleIndexes.Entry] = []
        for module in ordered {
            let dependencies = try closure(of: module).dropLast().reversed()
            if let absent = dependencies.first(where: { !chosen.contains($0.name) }) {
                throw .modules(
                    .misuse, .incompleteSet,
                    "\(module.name) depends on \(absent.name), which the tree does not hold",
                    path: module.path)
            }
            entries.append(ModuleIndexes.Entry(module: module, dependencies: dependencies.map(\.path)))
        }
        return ModuleIndexes(
            entries: entries,
            aliases: try aliasIndex().lines { chosen.contains($0) },
            symbols: try symbolIndex().lines { chosen.contains($0) },
            softDependencies: try softDependencies().lines.filter { chosen.contains($0.module) },
            deviceNodes: try deviceNodes().lines.filter { chosen.contains($0.module) },
            builtin: try builtinModules())
    }

    /// The modules as modules.dep has them in order, and then the others, each once.
    private func inBuildOrder(_ modules: [KernelModule]) throws(StorageError) -> [KernelModule] {
        var rank: [String: Int] = [:]
        if let index = try dependencyIndex() {
            for (place, line) in index.lines.enumerated() where rank[line.module.name] == nil {
                rank[line.module.name] = place
            }
        } else {
            for (place, path) in try buildOrder().enumerated() {
                if let name = ModuleName.ofFile(path) { rank[name] = place }
            }
        }
        var seen: Set<String> = []
        let each = modules.filter { seen.insert($0.name).inserted }
        return each.sorted { (rank[$0.name] ?? .max, $0.path) < (rank[$1.name] ?? .max, $1.path) }
    }
}
