package import Storage

extension ModuleTree {
    /// More modules than any needs, and a longer chain of them.
    private static let closureLimit = 1000
    private static let chainLimit = 100

    /// The modules that have to be loaded before `module`, and then itself, each before what needs it. What is built in
    /// is left out. Throws `corrupt` when one of them is not in the tree, or they depend on each other in a circle.
    package func closure(of module: KernelModule) throws(StorageError) -> [KernelModule] {
        var result: [KernelModule] = []
        var open: Set<String> = []
        try close(module, into: &result, open: &open)
        return result
    }

    private func close(
        _ module: KernelModule, into result: inout [KernelModule], open: inout Set<String>
    ) throws(StorageError) {
        guard !result.contains(module) else { return }
        guard open.count < Self.chainLimit, result.count < Self.closureLimit,
            open.insert(module.name).inserted
        else {
            throw .modules(
                .corrupt, .badDependencies, "\(module.name) depends on itself or on too many modules",
                path: module.path)
        }
        for name in try listedDependencies(of: module) {
            if try isBuiltin(name) == true { continue }
            guard let dependency = try self.module(name) else {
                // What no file holds is built in where modules.dep is not there to say so.
                if try dependencyIndex() == nil, try builtinModules() == nil { continue }
                throw .modules(
                    .corrupt, .noFile, "\(module.name) depends on \(name), which is not there",
                    path: module.path)
            }
            try close(dependency, into: &result, open: &open)
        }
        open.remove(module.name)
        result.append(module)
    }

    /// The modules that `modprobe` loads for `module`, in its order: what it depends on, and what each of them asks for
    /// before and after it (libkmod, kmod_module_probe_insert_module). What is asked for and not there is passed over.
    package func loadOrder(of module: KernelModule) throws(StorageError) -> [ModuleTarget] {
        var list = LoadList()
        try probe(.module(module), &list, isRequired: true)
        return list.targets
    }

    private struct LoadList {
        var targets: [ModuleTarget] = []
        var visited: Set<ModuleTarget> = []
        var added: Set<ModuleTarget> = []
        var depth = 0

        mutating func add(_ target: ModuleTarget) {
            if added.insert(target).inserted { targets.append(target) }
        }
    }

    private func probe(
        _ target: ModuleTarget, _ list: inout LoadList, isRequired: Bool
    ) throws(StorageError) {
        guard list.visited.insert(target).inserted else { return }
        list.depth += 1
        defer { list.depth -= 1 }
        guard list.depth < Self.chainLimit, list.visited.count < Self.closureLimit else {
            throw .modules(.corrupt, .badDependencies, "\(target.name) asks for too many modules")
        }
        guard case .module(let module) = target else {
            list.add(target)
            return
        }
        var needed: [KernelModule] = []
        do {
            needed = try closure(of: module)
        } catch {
            // Only asked for: it is loaded when it can be.
            guard !isRequired, error.isAboutImage else { throw error }
            return
        }
        for module in needed { try addWithSoft(module, &list) }
    }

    private func addWithSoft(_ module: KernelModule, _ list: inout LoadList) throws(StorageError) {
        let soft = try softDependencies().of(module.name)
        for name in soft?.before ?? [] {
            for target in try lookUp(name) { try probe(target, &list, isRequired: false) }
        }
        list.add(.module(module))
        for name in soft?.after ?? [] {
            for target in try lookUp(name) { try probe(target, &list, isRequired: false) }
        }
    }
}
