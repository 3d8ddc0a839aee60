internal import GuestTree

/// Whether a kernel with its initramfs drives something, as far as that can be told.
package enum DriverState: Sendable, Equatable {
    /// It is built in, or the initramfs holds it.
    case present
    /// It is there, and drives it only with this argument of the kernel.
    case needsArgument(String)
    /// The kernel has these modules, and the initramfs has them not: in the order of loading.
    case missing([String])
    /// The same, and the kernel's own are of no use, and why.
    case unusable([String], String)
    /// This module is there, and kept from being loaded by that.
    case forbidden(String, by: String)
    /// What it drives is found, and this copy of configuration in the initramfs keeps the root on it from being put together.
    /// `isMendable`: what is added beside the initramfs can hold it as it has to be.
    case hidden(by: String, isMendable: Bool = false)
    /// The kernel has no driver for this.
    case noSuchDriver(String)
    /// The initramfs or the modules cannot be read, and why.
    case unreadable(String)
    /// Neither was found.
    case unknown

    /// The better, the lower.
    var rank: Int {
        switch self {
        case .present: 0
        case .needsArgument: 1
        case .missing: 2
        case .unknown: 3
        case .unreadable: 4
        case .forbidden, .hidden: 5
        case .unusable: 6
        case .noSuchDriver: 7
        }
    }

    /// What is true where both are needed.
    func and(_ other: DriverState) -> DriverState {
        if case .missing(let names) = self, case .missing(let others) = other {
            return .missing(names + others.filter { !names.contains($0) })
        }
        return rank >= other.rank ? self : other
    }
}

/// What is known of one controller for a kernel with its initramfs.
package struct ControllerState: Sendable, Equatable {
    /// The drivers.
    package var state: DriverState
    /// They drive it only with this argument of the kernel: "xen_emul_unplug=never".
    package var argument: String?

    /// The modules that drive it, as far as they are not built in.
    package var drivers: [String]
    /// These, and all that they and the root's layers depend on where that was asked for.
    package var modules: [String]
    /// Drivers of its and of the root's layers that are built in.
    package var builtins: [String] = []
    /// What is not in the initramfs, with what it depends on: loaded by name once it is added.
    package var added: Set<String> = []

    /// Makes one.
    package init(_ state: DriverState, argument: String? = nil, drivers: [String] = []) {
        self.state = state
        self.argument = argument
        self.drivers = drivers
        modules = drivers
    }

    /// What it is for a kernel with that command line, to which the argument may still be added.
    package func state(with line: KernelCommandLine, adding isAdded: Bool) -> DriverState {
        guard let argument, !isAdded, !line.has(String(argument.prefix { $0 != "=" })) else { return state }
        return state == .present ? .needsArgument(argument) : state
    }
}

/// A kernel and the files it is started with. What a verdict on drivers is made for.
package struct KernelStart: Hashable, Sendable {
    /// The kernel's path, as its loader is told.
    package var kernel: String?
    /// The initramfs files, as the loader is told.
    package var initrds: [String]
    /// The volume of the menu, which loaders count their paths from.
    package var volume: Int
    /// The loader takes several initramfs files.
    private var takesSeveral: Bool

    init(_ entry: MenuEntry) {
        takesSeveral = entry.file.syntax.bootMenu.map { type(of: $0).takesSeveralInitrds } ?? false
        kernel = entry.entry.kernel
        initrds = entry.entry.initrds
        volume = entry.file.file.volume
    }
}

/// What was read of one kernel's start.
package struct StartFacts: Sendable {
    /// What the initramfs is.
    package enum Image: Sendable, Equatable {
        /// The entry has none: everything must be built in.
        case none
        /// It was not found.
        case notFound
        /// It cannot be read, and why.
        case unreadable(String)
        /// It was read: what made it, and how many modules it holds.
        case read(generator: String, moduleCount: Int)
    }

    /// The kernel's release; nil where nothing tells it.
    package var release: String?
    /// The initramfs.
    package var image: Image
    /// What it is for each controller that was asked for.
    package var controllers: [Controller: ControllerState] = [:]
    /// Why Linux does not unpack all of the initramfs; nil where it does, as far as it was read.
    package var damage: InitramfsDamage?
    /// How the initramfs loads modules.
    var loading = ModuleLoading()
    /// Copies of configuration in the initramfs that name devices.
    package var copies: [InitramfsCopy] = []

    /// systemd is the initramfs' init; nil where it was not read.
    package var startsWithSystemd: Bool?
    /// Copies of LVM's and mdadm's configuration in the initramfs.
    var filters: [CopiedConfiguration] = []

    /// Nothing is known.
    static let unknown = StartFacts(release: nil, image: .notFound)
}
