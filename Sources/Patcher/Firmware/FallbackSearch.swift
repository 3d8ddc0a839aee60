internal import GuestTree

/// What could be put on an EFI system partition, the least first.
struct FallbackSearch {
    let partition: EFISystemPartition
    let machine: PEImage.Machine
    let system: String

    private typealias Change = FallbackMaking.Change

    private var suffix: String { machine.suffix.uppercased() }

    /// Each leads somewhere or not: a state tells.
    func candidates(_ state: FallbackState) -> [FallbackMaking] {
        let vendors = vendors
        var found: [FallbackMaking] = []
        if state.problem == .resetsForever {
            found += vendors.compactMap(list)
            if let shim = state.programs.first { found.append(FallbackMaking(fallbackAway(from: shim))) }
        }
        // What the shim that is there lacks.
        if let first = state.programs.first, first.kind == .shim || state.programs.count > 1,
            first.fault(on: machine) == nil
        {
            for folder in vendors {
                guard let grub = grub(folder) else { continue }
                let more =
                    [put(grub.file, as: grub.names.last ?? "")].compactMap { $0 }
                    + configuration(grub, folder)
                found.append(FallbackMaking(more))
                found.append(FallbackMaking(more + fallbackAway(from: first)))
            }
        }
        for folder in vendors {
            guard let changes = copies(from: folder) else { continue }
            found.append(FallbackMaking(changes, chosen: vendors.count > 1 ? folder : nil))
        }
        for loader in [named(.systemdBoot, "systemd"), newestKernel].compactMap({ $0 }) {
            found.append(FallbackMaking([put(loader.file, as: program)].compactMap { $0 }))
        }
        return found
    }

    /// "BOOTX64.EFI".
    private var program: String { "BOOT\(suffix).EFI" }

    /// The guest's own directory first: the one whose name is in the guest's.
    private var vendors: [String] {
        let usable = partition.vendors.filter {
            !["MICROSOFT", "LINUX", "SYSTEMD", "TOOLS"].contains($0.uppercased())
        }
        let own = usable.filter { system.contains($0.lowercased()) }
        return own + usable.filter { !own.contains($0) }
    }

    /// Copies a file into `\EFI\BOOT`, over what has the name there; nil where the same file lies there.
    private func put(_ file: GuestFile, as name: String) -> Change? {
        let there =
            partition.loader(name.uppercased(), in: "BOOT")?.file
            ?? partition.configurations["BOOT/\(name.uppercased())"]
        guard let there else { return .copy(file, as: name) }
        return there.key == file.key ? nil : .replace(there, with: file)
    }

    /// shim does not start fallback.efi by another name.
    private func fallbackAway(from shim: EFILoader) -> [Change] {
        guard let program = partition.fallbackProgram(of: shim), let name = program.names.last else {
            return []
        }
        return [.rename(name, to: name + ".off")]
    }

    private func list(_ folder: String) -> FallbackMaking? {
        guard let shim = named(.shim, folder), let place = partition.folders[folder.uppercased()] else {
            return nil
        }
        return FallbackMaking([
            .list(
                in: place, name: "BOOT\(suffix).CSV",
                contents: BootCSV.contents(program: shim.names.last ?? "", title: folder))
        ])
    }

    private func named(_ kind: EFILoader.Kind, _ folder: String) -> EFILoader? {
        partition.loaders(in: folder.uppercased()).first { $0.kind == kind && $0.fault(on: machine) == nil }
    }

    private func grub(_ folder: String) -> EFILoader? {
        // shim starts it by this name alone.
        for name in ["GRUB\(suffix).EFI", "GRUB.EFI"] {
            if let loader = partition.loader(name, in: folder.uppercased()),
                loader.fault(on: machine) == nil
            {
                return loader
            }
        }
        return nil
    }

    private func copies(from folder: String) -> [Change]? {
        if let shim = named(.shim, folder) {
            guard let grub = grub(folder) else { return nil }
            let behind = [grub, named(.mokManager, folder)].compactMap { $0 }
                .compactMap { put($0.file, as: $0.names.last ?? "") }
            return behind + configuration(grub, folder) + fallbackAway(from: shim)
                + [put(shim.file, as: program)].compactMap { $0 }
        }
        if let grub = grub(folder) ?? named(.grub, folder) {
            return configuration(grub, folder) + [put(grub.file, as: program)].compactMap { $0 }
        }
        guard let refind = named(.refind, folder) else { return nil }
        let own = partition.configurations["\(folder.uppercased())/REFIND.CONF"]
        return drivers(folder)
            + [own.flatMap { put($0, as: "refind.conf") }, put(refind.file, as: program)].compactMap { $0 }
    }

    /// rEFInd reads file systems other than the firmware's by drivers from directories beside itself.
    private func drivers(_ folder: String) -> [Change] {
        partition.driverFolders(of: folder, machine).flatMap { drivers -> [Change] in
            let there = partition.drivers["BOOT/\(drivers.name.uppercased())"]?.files ?? []
            return drivers.files.filter { file in
                !there.contains { $0.path.lastComponent == file.path.lastComponent }
            }.map { .driver($0, folder: drivers.name) }
        }
    }

    /// Why nothing could be put where no program is: what comes nearest, and what it lacks.
    func obstacle(_ state: FallbackState) -> FallbackState.Problem? {
        guard state.problem == .missing else { return nil }
        for making in candidates(state) {
            guard let source = making.changes.last?.source,
                let loader = partition.loaders.first(where: { $0.file.key == source }),
                let problem = FallbackState(partition.after(making), machine).problem, problem != .missing
            else { continue }
            return .nothingToPut(loader.path, problem)
        }
        for folder in vendors {
            if let shim = named(.shim, folder), grub(folder) == nil {
                let name = shim.loaderNames.first?.lowercased() ?? ""
                return .nothingToPut(shim.path, .nextMissing("EFI/\(folder)/\(name)"))
            }
        }
        for loader in partition.loaders where loader.kind != .mokManager && loader.kind != .shimFallback {
            if let fault = loader.fault(on: machine) {
                return .nothingToPut(loader.path, .damaged(loader.path, fault))
            }
        }
        return nil
    }

    private var newestKernel: EFILoader? {
        partition.loaders(in: "LINUX").filter {
            $0.kind == .unifiedKernel && $0.fault(on: machine) == nil
        }.max { VersionOrder.compare($0.key, $1.key) < 0 }
    }

    /// The configuration goes along where the program, started from `\EFI\BOOT`, would find none: what is built in names no
    /// place that has one, so that it reads what lies beside it.
    private func configuration(_ grub: EFILoader, _ folder: String) -> [Change] {
        guard let own = partition.configurations["\(folder.uppercased())/GRUB.CFG"],
            let core = grub.grub, core.prefix?.uppercased() != "/EFI/\(folder.uppercased())",
            partition.trails[grub.names]?.steps.first?.file == own.key
        else { return [] }
        return [put(own, as: "grub.cfg")].compactMap { $0 }
    }
}
