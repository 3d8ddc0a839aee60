internal import GuestTree

/// What was read of a guest's kernels and initramfs images for a plan, and what was decided by it: the controller, the way
/// in which its drivers get there, and the overlays. Data: read once a plan, by `DriverReading`.
package struct DriverFacts: Sendable {
    /// How the default entry gets the drivers of the controller.
    package enum Way: Sendable, Equatable {
        /// It has them, or nobody knows.
        case asIs
        /// It has them behind another controller than the target's first.
        case otherController
        /// It has them, and a kernel argument makes them take the disks.
        case kernelArgument(String)
        /// The entry with the distribution's rescue or fallback initramfs has them.
        case fallback
        /// They are added beside the initramfs.
        case overlay
        /// Not at all.
        case none
    }

    /// The controller that the plan counts on.
    package var controller: Controller
    /// How its drivers get there.
    package var way = Way.asIs
    /// The user chose the controller.
    package var isControllerChosen = false
    /// What may be done for drivers.
    package var source = DriverSource.auto
    /// Every controller of the target, with what the default entry is behind it.
    package var table: [ControllerVerdict] = []
    /// What is to be added to initramfs images.
    package var overlays: [PlannedOverlay] = []
    /// Why no overlay could be made, by what it was to be made for.
    var failures: [KernelStart: NotAdded] = [:]
    /// The network cards of the target.
    package var cards: [CardState] = []
    /// The release of the kernel that was asked for them.
    var cardsRelease: String?
    /// Directories of what makes the next initramfs, by path, where something is added to this one.
    var settings: [String: GuestFile] = [:]
    /// The next making of grub.cfg takes images that are loaded before the initramfs from GRUB_EARLY_INITRD_LINUX_CUSTOM.
    var takesEarlyImages = false
    private var starts: [KernelStart: StartFacts] = [:]

    /// Nothing is known.
    package init(controller: Controller) { self.controller = controller }

    /// What is known of an entry, also of one that the plan's edits have given an overlay.
    package func facts(of entry: MenuEntry) -> StartFacts {
        if let known = starts[KernelStart(entry)] { return known }
        let added = overlays.first { overlay in entry.entry.initrds.contains { overlay.isMeant(by: $0) } }
        return added?.after ?? .unknown
    }

    mutating func set(_ facts: StartFacts, for start: KernelStart) { starts[start] = facts }
    func known(_ start: KernelStart) -> StartFacts? { starts[start] }

    /// What an entry is behind a controller, its own by default. `isAdded`: the plan adds the argument that it may need.
    package func state(
        of entry: MenuEntry, behind controller: Controller? = nil, adding isAdded: Bool = false
    ) -> DriverState {
        let facts = facts(of: entry)
        return facts.controllers[controller ?? self.controller]?.state(of: entry, facts, adding: isAdded)
            ?? .unknown
    }

    /// The overlay that an entry is to be given; nil where it needs none, or none could be made.
    package func overlay(for entry: MenuEntry) -> PlannedOverlay? {
        let start = KernelStart(entry)
        return overlays.first { $0.starts.contains(start) }
    }

    /// Every module that is added to some initramfs, in the order of loading, and the drivers beside them that it has
    /// already: for the settings that make the next initramfs hold them too.
    package var modulesOfNextInitramfs: [String] {
        overlays.reduce(into: []) { names, overlay in
            for name in overlay.modules + overlay.drivers where !names.contains(name) { names.append(name) }
        }
    }
}

/// One controller of the target, and what the default entry is behind it.
package struct ControllerVerdict: Sendable, Equatable {
    /// The controller.
    package var controller: Controller
    /// What is known; the worst of several default entries.
    package var state: DriverState
    /// The argument that the kernel needs besides.
    package var argument: String?
}

/// A network card of the target, and whether the default entry's kernel has a driver.
package struct CardState: Sendable, Equatable {
    /// Its name: "vmxnet3".
    package var name: String
    /// What is known. "Missing" in an initramfs is no matter: the root's own modules count.
    package var state: DriverState
}

/// Why missing drivers are not added.
package enum NotAdded: Sendable, Equatable {
    /// It was asked not to.
    case unwanted
    /// Another entry boots by itself, whose initramfs is for any machine.
    case besideGeneral
    /// The entry has no initramfs.
    case noInitramfs
    /// They cannot be, and why.
    case impossible(String)
    /// The file system has no room: bytes that are needed and free, controllers and entries that need none.
    case noRoom(directory: String, needed: UInt64, free: UInt64, controllers: [Controller], hasFallback: Bool)
}

/// A copy of configuration in an initramfs, as it was read.
struct CopiedConfiguration: Sendable {
    /// The image's path in the guest.
    var image: String
    /// The copy's path in the image.
    var path: String
    /// What it says.
    var syntax: any ConfigurationSyntax
    /// All of it.
    var bytes: [UInt8]
}

/// A copy of configuration in an initramfs that names a device which will be gone.
package struct InitramfsCopy: Sendable, Equatable {
    /// The image's path in the guest.
    package var image: String
    /// The copy's path in the image.
    package var path: String
    /// The name.
    package var name: String
    /// The argument of the kernel that has the last word over it; nil for none.
    package var argument: String?
}
