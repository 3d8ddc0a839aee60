internal import GuestTree
internal import Storage

extension Repair {
    /// A loader where a machine without boot entries looks for it.
    public static let efi = Repair("efi")
}

/// A machine with an empty variable store starts one program of the EFI system partition, `\EFI\BOOT\BOOTX64.EFI`: the
/// installed loader is copied there where none is, or where the one that is there leads nowhere.
enum FallbackLoader: PlanStep {
    static let repair = Repair.efi

    static func contribute(to draft: inout PlanDraft) {
        let guest = draft.guest
        guard draft.startsByUEFI else { return }
        if guest.firmware.uefi == .unread {
            draft.advise(
                .efi, nil,
                "a new machine's firmware starts EFI/BOOT/BOOTX64.EFI of the EFI system partition, whose files cannot be looked at here: where it is not there, copy the loader to that name in the running guest"
            )
        }
        if let efi = guest.inspection.efi {
            adviseOfTable(efi, &draft)
            adviseOfArguments(efi, &draft)
        }
        guard let (program, problem) = guest.firmware.fallbackProblem else { return }
        let why =
            "a machine with an empty variable store starts \(program) alone, and \(problem.words(program))"
        guard let making = guest.fallbackMaking else {
            draft.advise(
                .efi, nil,
                "\(why): install the loader for removable media (grub-install, bootctl) in the running guest")
            return
        }
        guard draft.request.addsFallbackLoader, draft.request.wants(.efi) else {
            draft.advise(
                .efi, nil,
                "\(why): it starts only where the firmware has a boot entry; give the new machine one, or copy the loader there"
            )
            return
        }
        add(making, why, to: &draft)
    }

    /// What the partition table makes of it, and of others.
    private static func adviseOfTable(_ efi: EFISystemPartition, _ draft: inout PlanDraft) {
        let volume = draft.guest.volumes[efi.volume]
        if case .partition = volume.location, !volume.isEFISystemPartition {
            draft.advise(
                .efi, nil,
                "the partition table does not call \(volume.name) an EFI system partition, and some firmware looks at no other: give it the type EF (MBR) or EF00 (GPT)"
            )
        }
        for other in efi.others {
            draft.advise(
                .efi, nil,
                "\(other) is an EFI system partition with a loader in EFI/BOOT too: see that the new machine's firmware starts \(volume.name)"
            )
        }
    }

    /// Names of disks that are built into unified kernels.
    private static func adviseOfArguments(_ efi: EFISystemPartition, _ draft: inout PlanDraft) {
        for loader in efi.loaders where loader.kind == .unifiedKernel && !loader.diskNames.isEmpty {
            draft.advise(
                .efi, nil,
                "\(loader.path) is a unified kernel whose built-in arguments say \(loader.diskNames.joined(separator: " ")): they cannot be edited here, so make it anew in the running guest (ukify, dracut, mkinitcpio) with a UUID"
            )
        }
    }

    private static func add(_ making: FallbackMaking, _ why: String, to draft: inout PlanDraft) {
        guard let efi = draft.guest.inspection.efi, let place = efi.fallbackPlace else { return }
        let copied = making.changes.contains { change in
            switch change {
            case .copy, .replace, .driver: true
            case .list, .rename: false
            }
        }
        for change in making.changes {
            switch change {
            case .copy(let file, let name):
                draft.add(.copy(file, to: NamePlace(name, in: place)), .efi, why)
            case .replace(let file, let source): draft.add(.replace(file, with: source), .efi, why)
            case .driver(let file, let folder):
                let name = String(decoding: file.path.lastComponent ?? [], as: UTF8.self)
                let there = efi.drivers["BOOT/\(folder.uppercased())"]?.directory
                let below = DirectoryPlace(
                    directory: place.directory, missing: place.missing + [Array(folder.utf8)])
                draft.add(
                    .copy(file, to: there.map { NamePlace(name, in: $0) } ?? NamePlace(name, in: below)),
                    .efi,
                    why)
            case .list(let directory, let name, let contents):
                draft.add(
                    .create(NamePlace(name, in: directory), contents: contents, permissions: 0o755), .efi, why
                )
            case .rename(let name, let newName):
                draft.add(.rename(NamePlace(name, in: place), to: Array(newName.utf8)), .efi, why)
            }
        }
        if copied {
            draft.advise(
                Advice(
                    repair: .efi, path: nil,
                    message:
                        "the copies in EFI/BOOT do not follow updates of the loader: run grub-install, or bootctl update, once the guest runs, or copy them again",
                    isMinor: true))
        }
        if let chosen = making.chosen {
            draft.advise(
                .efi, nil,
                "there are loaders in EFI/\(efi.vendors.joined(separator: ", EFI/")): the one of EFI/\(chosen) is what a new machine starts"
            )
        }
    }
}

extension PlanDraft {
    /// The guest will be started by UEFI: the target has nothing else, or nothing else starts the disks.
    var startsByUEFI: Bool {
        let firmware = guest.firmware
        guard firmware.hasUEFI, target.firmware != .bios else { return false }
        return target.firmware == .uefi || firmware.biosDisk == nil
    }

    /// Why a machine without boot entries does not start the guest even when the plan is carried out; nil where it does, or
    /// where a boot entry for another loader would help.
    var fallbackObstacle: (program: String, problem: FallbackState.Problem)? {
        guard startsByUEFI, guest.fallbackMaking == nil else { return nil }
        return guest.firmware.fallbackProblem.map { ($0.program, guest.fallbackObstacle ?? $0.problem) }
    }

    /// What stands in for a loader that could be put there and is not wanted: the guest starts where the new machine has a
    /// boot entry for another.
    var neededBootEntry: (program: String, loaders: [String])? {
        guard startsByUEFI, let (program, _) = guest.firmware.fallbackProblem,
            let making = guest.fallbackMaking, !otherActions.contains(where: { $0.repairs == [.efi] })
        else { return nil }
        let sources = making.changes.compactMap(\.source)
        let loaders = guest.inspection.efi?.loaders.filter { sources.contains($0.file.key) } ?? []
        let first = loaders.first { $0.kind != .grub && $0.kind != .mokManager } ?? loaders.first
        return (program, [first?.path].compactMap { $0 })
    }
}

extension PlanDraft {
    /// The paths of those firmwares that the new machine may have, with what the draft adds.
    var bootPaths: [BootPath] {
        let adds = otherActions.contains { $0.repairs == [.efi] }
        let defaults = guest.defaultEntries.map { item in
            let moved = movedDefaults[item.key.file]
            return guest.bootEntries.first { $0.key == moved } ?? item
        }
        return guest.starting(defaults).bootPaths(with: adds ? guest.fallbackMaking : nil).filter { path in
            switch machineNeeds.firmware {
            case .bios: path.firmware == .bios
            case .uefi: path.firmware == .uefi
            case .either, .unknown: true
            case .pygrub: false
            }
        }
    }
}

extension EFILoader {
    /// The built-in arguments of a unified kernel that name disks as the hypervisor calls them: "root=/dev/sda2".
    var diskNames: [String] {
        let text = Array(arguments.prefix { $0 != 0 })
        return KernelCommandLine(text, in: 0..<text.count).arguments.filter { argument in
            argument.valueRange.map { DeviceName(text.text($0)).isPositional } ?? false
        }.map { text.text($0.range) }
    }
}
