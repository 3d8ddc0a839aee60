package import Storage

extension ModuleTree {
    /// Whether the guest drives `device` with an initramfs that holds `held`.
    ///
    /// Of the device's routes the first counts that is there, else the first that is missing, else what is wrong with the
    /// first. `machine` is the `e_machine` of the guest's processor, where it is known: modules for another are not
    /// named as missing. Throws only what says nothing of the guest (input and output, a request to stop).
    package func need(
        _ device: TargetDevice, holding held: HeldModules, machine: UInt16? = nil
    ) throws(StorageError) -> DeviceNeed {
        var best: DeviceNeed?
        for route in device.routes {
            let need: DeviceNeed
            do {
                need = try self.need(device, by: route, held, machine)
            } catch {
                guard error.isAboutImage else { throw error }
                need = DeviceNeed(device: device, answer: .unreadable(error), drivers: [])
            }
            if best.map({ need.answer.rank < $0.answer.rank }) ?? true { best = need }
        }
        return best ?? DeviceNeed(device: device, answer: .builtin, drivers: [])
    }

    private func need(
        _ device: TargetDevice, by route: [DriverStep], _ held: HeldModules, _ machine: UInt16?
    ) throws(StorageError) -> DeviceNeed {
        var need = DeviceNeed(device: device, answer: .builtin, drivers: [])
        var missing: [KernelModule] = []
        for step in route {
            guard let choice = try choose(step, held) else {
                if step.isOptional { continue }
                guard try tellsBuiltin() else { throw builtinUnknown(step) }
                need.answer = .noSuchDriver(step)
                return need
            }
            need.drivers.append(DeviceNeed.Driver(step: step, name: choice.name, origin: choice.origin))
            if choice.origin == .held { need.answer = .present }
            for module in choice.missing where !missing.contains(module) { missing.append(module) }
        }
        guard !missing.isEmpty else { return need }
        do {
            try verify(missing, machine)
            need.answer = .missing(missing)
        } catch {
            guard error.isAboutImage else { throw error }
            need.answer = .unusable(missing, error)
        }
        return need
    }

    private struct Choice {
        var name: String
        var origin: DeviceNeed.Origin
        var missing: [KernelModule] = []
    }

    /// The driver that serves `step`: one that is built in, else one that is held whole, else one that is held in part,
    /// else the best that the kernel has. Nil when it has none.
    private func choose(_ step: DriverStep, _ held: HeldModules) throws(StorageError) -> Choice? {
        let candidates = try candidates(step)
        for case .builtin(let name) in candidates { return Choice(name: name, origin: .builtin) }
        var partly: Choice?
        for case .module(let module) in candidates where held.contains(module.name) {
            let missing = try closure(of: module).filter { !held.contains($0.name) }
            if missing.isEmpty { return Choice(name: module.name, origin: .held) }
            if partly == nil { partly = Choice(name: module.name, origin: .missing, missing: missing) }
        }
        if let partly { return partly }
        // The kernel's own modules may be gone, and the initramfs still has them.
        if step.acceptance != .namedAndMatching {
            for driver in step.drivers where held.contains(driver.name) {
                if try module(driver.name) == nil { return Choice(name: driver.name, origin: .held) }
            }
        }
        for case .module(let module) in candidates {
            var missing: [KernelModule] = []
            for case .module(let other) in try loadOrder(of: module) where !held.contains(other.name) {
                missing.append(other)
            }
            return Choice(name: module.name, origin: .missing, missing: missing)
        }
        return nil
    }

    /// The drivers that will do for `step`, the best first: those of the table whose aliases match, those of the table that
    /// say nothing of that bus, and others that match.
    func candidates(_ step: DriverStep) throws(StorageError) -> [ModuleTarget] {
        var matches: [ModuleTarget] = []
        for alias in step.aliases {
            for target in try drivers(for: alias) {
                // A file that an older build left behind drives nothing that the kernel does.
                let own = try isBuiltin(target.name) == true ? .builtin(target.name) : target
                if !matches.contains(own) { matches.append(own) }
            }
        }
        var result: [ModuleTarget] = []
        for driver in step.drivers {
            let name = ModuleName.canonical(driver.name)
            result += matches.filter { $0.name == name && !result.contains($0) }
        }
        guard step.acceptance != .namedAndMatching else { return result }
        for driver in step.drivers {
            let name = ModuleName.canonical(driver.name)
            guard !result.contains(where: { $0.name == name }), let target = try named(driver),
                try !speaks(target, of: step.aliases)
            else { continue }
            result.append(target)
        }
        if step.acceptance == .any { result += matches.filter { !result.contains($0) } }
        return result
    }

    /// The module of a driver's name, or that it is built in.
    private func named(_ driver: NamedDriver) throws(StorageError) -> ModuleTarget? {
        let name = ModuleName.canonical(driver.name)
        let isBuiltin = try isBuiltin(name)
        if isBuiltin == true { return .builtin(name) }
        if let module = try module(name) { return .module(module) }
        guard isBuiltin == nil, try configuration()?[driver.configuration] == .builtin else { return nil }
        return .builtin(name)
    }

    /// Whether a driver has aliases of the buses of `aliases`: then those tell what it drives.
    private func speaks(_ target: ModuleTarget, of aliases: [String]) throws(StorageError) -> Bool {
        let index: AliasIndex?
        switch target {
        case .module: index = try aliasIndex()
        case .builtin: index = try builtinModules()?.aliases
        }
        guard let index else { return false }
        for alias in aliases {
            guard
                let end = alias.utf8.firstIndex(where: { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "-") })
            else { continue }
            let bus = String(alias[...end])
            if !index.aliases(of: target.name, prefix: bus).isEmpty { return true }
        }
        return false
    }

    /// Whether a driver that is no file can be said not to be there at all.
    private func tellsBuiltin() throws(StorageError) -> Bool {
        if try builtinModules() != nil { return true }
        return try configuration() != nil
    }

    private func builtinUnknown(_ step: DriverStep) -> StorageError {
        guard directory != nil else {
            return .modules(
                .corrupt, .noTree,
                "there is neither a directory of modules nor a configuration for \(release)")
        }
        return .modules(
            .corrupt, .builtinUnknown,
            "no module drives \(step.title), and nothing tells what is built in", path: directory)
    }

    /// Reads what is going to be loaded: each has to be a module for this kernel and this machine.
    private func verify(_ modules: [KernelModule], _ machine: UInt16?) throws(StorageError) {
        var machine = machine
        for module in modules {
            let info = try info(of: module)
            try check(info, module.name, machine, path: path(of: module.path))
            machine = info.machine
        }
    }

    private func check(
        _ info: ModuleInfo, _ name: String, _ machine: UInt16?, path: String?
    ) throws(StorageError) {
        if let machine, info.machine != machine {
            throw .modules(
                .corrupt, .otherMachine,
                "\(name) is for \(MachineName.of(info.machine)), and the guest is one of \(MachineName.of(machine))",
                structure: "ELF object", field: "e_machine", path: path)
        }
        // With versions of symbols the kernel does not compare its release (kernel/module, same_magic).
        if let other = info.release, other != release, !info.hasSymbolVersions {
            throw .modules(
                .corrupt, .otherKernel, "\(name) was built for kernel \(other), not \(release)",
                structure: ".modinfo", field: "vermagic", path: path)
        }
    }

    /// Why a file that an initramfs holds as the module `name` is none for this kernel and `machine`; nil where nothing speaks
    /// against it, as where its compression is not built in here. Throws what says nothing of the file.
    package func fault(
        ofFile bytes: [UInt8], _ name: String, path: String, machine: UInt16?
    ) throws(StorageError) -> StorageError? {
        do {
            let info = try ModuleInfo(ModuleContents(file: bytes, path: path))
            try check(info, name, machine, path: path)
            return nil
        } catch {
            guard error.isAboutImage else { throw error }
            return error.kind == .unsupported ? nil : error
        }
    }
}

extension DriverAnswer {
    /// The better, the lower.
    fileprivate var rank: Int {
        switch self {
        case .present, .builtin: 0
        case .missing: 1
        case .unusable: 2
        case .unreadable: 3
        case .noSuchDriver: 4
        }
    }
}
