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
            draft.advise(.efi, nil, "\(why): give the new machine a boot entry, or copy the loader there")
            return
        }
        add(making, why, to: &draft)
    }

    private static func add(_ making: FallbackMaking, _ why: String, to draft: inout PlanDraft) {
        guard let efi = draft.guest.inspection.efi, let place = efi.fallbackPlace else { return }
        let copied = making.changes.contains { if case .copy = $0 { true } else { false } }
        for change in making.changes {
            switch change {
            case .copy(let file, let name):
                draft.add(.copy(file, to: NamePlace(name, in: place)), .efi, why)
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
    /// where the user said that he sees to it.
    var fallbackObstacle: (program: String, problem: FallbackState.Problem)? {
        guard startsByUEFI, request.addsFallbackLoader, guest.fallbackMaking == nil else { return nil }
        return guest.firmware.fallbackProblem
    }
}

extension PlanDraft {
    /// The paths of those firmwares that the new machine may have, with what the draft adds.
    var bootPaths: [BootPath] {
        let adds = otherActions.contains { $0.repairs == [.efi] }
        return guest.bootPaths(with: adds ? guest.fallbackMaking : nil).filter { path in
            switch machineNeeds.firmware {
            case .bios: path.firmware == .bios
            case .uefi: path.firmware == .uefi
            case .either, .unknown: true
            case .pygrub: false
            }
        }
    }
}
