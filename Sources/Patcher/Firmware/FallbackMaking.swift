package import GuestTree

/// What has to be put on an EFI system partition so that a machine without boot entries of its own starts the guest.
package struct FallbackMaking: Sendable, Equatable {
    /// One change.
    package enum Change: Sendable, Equatable {
        /// A file is copied into `\EFI\BOOT` under a name.
        case copy(GuestFile, as: String)
        /// A list for shim's fallback.efi is made beside the loader.
        case list(in: GuestFile, name: String, contents: [UInt8])
        /// A program of `\EFI\BOOT` gets another name, so that shim does not start it.
        case rename(String, to: String)
    }

    /// The changes, that which makes the rest count last.
    package var changes: [Change] = []
    /// The directory that the loader comes from, where several distributions have one.
    package var chosen: String?

    /// Nil where nothing on the partition could be put there.
    init?(
        _ partition: EFISystemPartition, _ machine: PEImage.Machine, _ state: FallbackState, title: String
    ) {
        let suffix = machine.suffix
        let vendors = Self.order(partition, title)
        switch state.problem {
        case nil, .listNamesMissing?: return nil
        case .resetsForever?:
            if let folder = vendors.first(where: { Self.shim($0, partition, machine) != nil }),
                let shim = Self.shim(folder, partition, machine),
                let place = partition.folders[folder.uppercased()]
            {
                changes = [
                    .list(
                        in: place, name: "BOOT\(suffix.uppercased()).CSV",
                        contents: BootCSV.contents(program: shim.names.last ?? "", title: folder))
                ]
            } else if let program = state.programs.last,
                partition.loader("GRUB\(suffix.uppercased()).EFI", in: "BOOT") != nil,
                let name = program.names.last
            {
                changes = [.rename(name, to: name + ".off")]
            } else {
                return nil
            }
        case .nextMissing?:
            guard
                let loader = vendors.lazy.compactMap({ Self.grub($0, partition, machine) }).first,
                state.programs.count == 1
            else { return nil }
            changes = [.copy(loader.file, as: loader.names.last ?? "")]
        case .missing?:
            guard let copies = Self.copies(partition, machine, vendors) else { return nil }
            changes = copies.changes
            if vendors.count > 1 { chosen = copies.folder }
        }
    }

    /// The guest's own directory first: the one whose name is in the guest's.
    private static func order(_ partition: EFISystemPartition, _ title: String) -> [String] {
        let title = title.lowercased().filter { $0 != " " }
        let usable = partition.vendors.filter {
            !["MICROSOFT", "LINUX", "SYSTEMD", "TOOLS"].contains($0.uppercased())
        }
        let own = usable.filter { title.contains($0.lowercased()) }
        return own + usable.filter { !own.contains($0) }
    }

    private static func named(
        _ kind: EFILoader.Kind, _ folder: String, _ partition: EFISystemPartition, _ machine: PEImage.Machine
    ) -> EFILoader? {
        partition.loaders(in: folder.uppercased()).first {
            $0.kind == kind && ($0.machine == machine || $0.machine == nil)
        }
    }

    private static func shim(
        _ folder: String, _ partition: EFISystemPartition, _ machine: PEImage.Machine
    ) -> EFILoader? { named(.shim, folder, partition, machine) }

    private static func grub(
        _ folder: String, _ partition: EFISystemPartition, _ machine: PEImage.Machine
    ) -> EFILoader? {
        // shim starts it by this name alone.
        for name in ["GRUB\(machine.suffix.uppercased()).EFI", "GRUB.EFI"] {
            if let loader = partition.loader(name, in: folder.uppercased()) { return loader }
        }
        return nil
    }

    private static func copies(
        _ partition: EFISystemPartition, _ machine: PEImage.Machine, _ vendors: [String]
    ) -> (folder: String, changes: [Change])? {
        let name = "BOOT\(machine.suffix.uppercased()).EFI"
        for folder in vendors {
            let grub = grub(folder, partition, machine) ?? named(.grub, folder, partition, machine)
            if let shim = shim(folder, partition, machine) {
                guard let grub = self.grub(folder, partition, machine) else { continue }
                let manager = named(.mokManager, folder, partition, machine)
                let behind = [grub, manager].compactMap { $0 }.map {
                    Change.copy($0.file, as: $0.names.last ?? "")
                }
                return (
                    folder, behind + configuration(grub, folder, partition) + [.copy(shim.file, as: name)]
                )
            }
            if let grub {
                return (folder, configuration(grub, folder, partition) + [.copy(grub.file, as: name)])
            }
            if let refind = named(.refind, folder, partition, machine) {
                let own = partition.configurations["\(folder.uppercased())/REFIND.CONF"]
                return (
                    folder,
                    (own.map { [.copy($0, as: "refind.conf")] } ?? []) + [.copy(refind.file, as: name)]
                )
            }
        }
        if let loader = named(.systemdBoot, "systemd", partition, machine) {
            return ("systemd", [.copy(loader.file, as: name)])
        }
        let kernels = partition.loaders(in: "LINUX").filter {
            $0.kind == .unifiedKernel && $0.machine == machine
        }
        let newest = kernels.max { LoaderEntry.compareVersions($0.key, $1.key) < 0 }
        return newest.map { ("Linux", [.copy($0.file, as: name)]) }
    }

    /// The configuration goes along where the program, started from `\EFI\BOOT`, would find none: what is built in names no
    /// place that has one, so that it reads what lies beside it.
    private static func configuration(
        _ grub: EFILoader, _ folder: String, _ partition: EFISystemPartition
    ) -> [Change] {
        guard let own = partition.configurations["\(folder.uppercased())/GRUB.CFG"],
            partition.configurations["BOOT/GRUB.CFG"] == nil,
            let core = grub.grub, core.prefix?.uppercased() != "/EFI/\(folder.uppercased())",
            partition.trails[grub.names]?.steps.first?.file == own.key
        else { return [] }
        return [.copy(own, as: "grub.cfg")]
    }
}

extension EFISystemPartition {
    /// The partition as it will be once that is made.
    func after(_ making: FallbackMaking) -> EFISystemPartition {
        var result = self
        let efi = loaders.first?.names.first ?? "EFI"
        let boot = folders["BOOT"].flatMap { $0.path.lastComponent } ?? Array("BOOT".utf8)
        let folder = String(decoding: boot, as: UTF8.self)
        for change in making.changes {
            switch change {
            case .copy(let file, let name):
                guard var copy = loaders.first(where: { $0.file.key == file.key }) else {
                    result.configurations["BOOT/\(name.uppercased())"] = file
                    continue
                }
                let source = copy.names
                copy.names = [efi, folder, name]
                result.loaders.append(copy)
                result.trails[copy.names] = trails[source]
            case .list(let directory, _, let contents):
                let name = String(decoding: directory.path.lastComponent ?? [], as: UTF8.self)
                result.lists.append(BootCSV(folder: name, contents))
            case .rename(let old, let new):
                for index in result.loaders.indices
                where result.loaders[index].folder == "BOOT" && result.loaders[index].names.last == old {
                    result.loaders[index].names[2] = new
                }
            }
        }
        return result
    }
}
