package import Storage

/// What decides whether an entry boots, and whether a guest may be changed at all. Programs branch on the cases; people
/// read `sentence`.
package enum VerdictReason: Sendable, Equatable {
    /// How much it weighs.
    package enum Severity: Sendable, Equatable {
        /// To know.
        case note
        /// The entry does not boot; of a guest: nothing is to be written.
        case stops
    }

    /// The target boots with UEFI alone, and the guest has no loader for it.
    case noUEFILoader(target: String)
    /// The target has no such controller.
    case controllerNotOffered(Controller, target: Target)
    /// The entry boots the Xen hypervisor.
    case bootsXen(on: Hypervisor)
    /// The kernel starts on Xen's own interface alone.
    case xenOnlyKernel(on: Hypervisor)
    /// LILO's map says where the root is, not its file.
    case liloMap
    /// A name that only an initramfs understands, and there is none.
    case rootNeedsInitramfs(String)
    /// The root's name stands for nothing.
    case rootUnresolved(String, UnresolvedReason)
    /// The entry boots the Xen hypervisor and is left as it is.
    case keepsXenEntry
    /// The entry's arguments are in an environment block that was not read.
    case argumentsElsewhere

    /// A swap area holds a suspended system.
    case suspended(volume: String)
    /// A mount whose files may name devices cannot be read.
    case unreadableMount(path: String, volume: String, kind: VolumeIdentity.Kind)
    /// A file holds names that must change, and cannot be changed itself.
    case unwritableNames(path: String, Obstacle)
    /// The menu is on an EFI system partition that cannot be read.
    case unreadableMenu(path: String, volume: String)
    /// The menu was not found: the fstab mounts a /boot that cannot be told.
    case bootUnresolved(String, UnresolvedReason)
    /// There are kernels, but no loader that is known.
    case unknownLoader
    /// A name cannot be told now, and would be taken for a volume once the others are replaced: what shows that it is none
    /// would be gone.
    case wouldBeTakenFor(volume: String, name: String, path: String, line: Int, UnresolvedReason)
    /// What is changed in a file would not be the last change.
    case wouldChangeAgain(path: String)
    /// No entry that would boot by itself can.
    indirect case defaultCannot(title: String, VerdictReason, on: Hypervisor)

    /// How much it weighs.
    package var severity: Severity {
        switch self {
        case .keepsXenEntry, .argumentsElsewhere: .note
        default: .stops
        }
    }

    /// For people.
    package var sentence: Sentence {
        switch self {
        case .noUEFILoader(let target):
            "\(target) boots with UEFI, and the guest has no EFI system partition; \(remedy: .choose(target: "hyperv")) has a BIOS"
        case .controllerNotOffered(let controller, let target):
            "\(target.name) has no \(controller.rawValue) controller, only \(target.controllers.map(\.rawValue).joined(separator: ", "))"
        case .bootsXen(let hypervisor):
            "it boots the Xen hypervisor, which is not supported inside a guest of \(hypervisor.title)"
        case .xenOnlyKernel(let hypervisor):
            "its kernel is built for Xen's own interface alone and cannot start on \(hypervisor == .xenserver ? "a XenServer guest with emulated disks" : hypervisor.title)"
        case .liloMap: "LILO's map holds the old disk's device number; run lilo in the guest or install GRUB"
        case .rootNeedsInitramfs(let name): "root=\(name) needs an initramfs, and the entry has none"
        case .rootUnresolved(let name, let reason): "root=\(name): \(reason.sentence)"
        case .keepsXenEntry: "it boots the Xen hypervisor first; the entry is kept"
        case .argumentsElsewhere:
            "its arguments are $kernelopts of grubenv, which was not found or lies on the EFI system partition, which cannot be read: see to root= there with grub2-editenv"
        case .suspended(let volume):
            "\(volume) holds a suspended system: start the guest and shut it down first"
        case .unreadableMount(let path, let volume, let kind):
            "\(path) lies on \(volume) (\(kind.rawValue)), which cannot be read, and may hold names that must change; \(Self.closedMenuRemedy)"
        case .unwritableNames(let path, let obstacle):
            "\(path) has names that must change, and \(obstacle.sentence); \(Self.closedMenuRemedy)"
        case .unreadableMenu(let path, let volume):
            "the boot menu lies on \(volume) (\(path)), which cannot be read, and may hold names that must change; \(Self.closedMenuRemedy)"
        case .bootUnresolved(let name, let reason):
            "the boot menu was not found: /boot is \(name), and \(reason.sentence)"
        case .unknownLoader:
            "the guest's boot loader is none that is known here: its configuration was not found; give its root= a UUID by hand, or install GRUB in the guest"
        case .wouldBeTakenFor(let volume, let name, let path, let line, let reason):
            "\(name) in line \(line) of \(path) cannot be told (\(reason.sentence)), and would be taken for \(volume) once the other names are replaced"
        case .wouldChangeAgain(let path): "\(path) would have to be changed once more after this change"
        case .defaultCannot(let title, let reason, let hypervisor):
            "the guest cannot boot on \(hypervisor.title): “\(title)”: \(reason.sentence)"
        }
    }

    private static let closedMenuRemedy: Sentence =
        "give its entries UUID= names in the running guest, then copy the disk with \(remedy: .convert)"
}
