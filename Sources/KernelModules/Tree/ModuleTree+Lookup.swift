package import Storage

/// What a name or alias leads to.
package enum ModuleTarget: Hashable, Sendable {
    /// A module's file.
    case module(KernelModule)
    /// A module that is part of the kernel, by canonical name.
    case builtin(String)

    /// The canonical name.
    package var name: String {
        switch self {
        case .module(let module): module.name
        case .builtin(let name): name
        }
    }
}

extension ModuleTree {
    /// What `modprobe NAME` would load, as libkmod looks it up: a module of that name, else those whose aliases match,
    /// else what is built in. Empty for a name that means nothing.
    package func lookUp(_ name: String) throws(StorageError) -> [ModuleTarget] {
        if let module = try module(name) { return [.module(module)] }
        let drivers = try drivers(for: name)
        let modules = drivers.filter { if case .module = $0 { true } else { false } }
        if !modules.isEmpty { return modules }
        if try isBuiltin(name) == true { return [.builtin(ModuleName.canonical(name))] }
        return drivers
    }

    /// The modules, in files and built in, whose aliases match what a bus shows of a device. Those built in come first:
    /// they are there before any other.
    package func drivers(for alias: String) throws(StorageError) -> [ModuleTarget] {
        var result: [ModuleTarget] = []
        for name in try builtinModules()?.aliases?.modules(matching: alias) ?? [] {
            result.append(.builtin(name))
        }
        for name in try aliasIndex().modules(matching: alias) {
            // An alias that leads to nothing, or to another alias, is a stale index's.
            if let module = try module(name) { result.append(.module(module)) }
        }
        return result
    }

    /// Whether the module of that name is built in; nil when nothing tells.
    package func isBuiltin(_ name: String) throws(StorageError) -> Bool? {
        try builtinModules()?.contains(ModuleName.canonical(name))
    }
}
