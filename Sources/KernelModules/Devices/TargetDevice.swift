/// A driver that a step may use: a module's name, and the choice of the kernel's configuration that makes it.
package struct NamedDriver: Hashable, Sendable {
    /// The module's canonical name.
    package var name: String
    /// "CONFIG_…", which tells what is built in where modules.builtin does not, before Linux 2.6.33.
    package var configuration: String

    /// Makes one.
    package init(_ name: String, _ configuration: String) {
        self.name = name
        self.configuration = "CONFIG_" + configuration
    }
}

/// One driver of the several that a device needs: what binds to a bus's device, or a companion that no symbol leads to.
package struct DriverStep: Hashable, Sendable {
    /// Which drivers will do.
    package enum Acceptance: Hashable, Sendable {
        /// Those of the table, and any other whose aliases match.
        case any
        /// Those of the table alone: others match, and drive it only when told to, or under other names of disks.
        case named
        /// Those of the table whose aliases match. For a name that means something else in other kernels.
        case namedAndMatching
    }

    /// What it drives, in a word or two.
    package var title: String
    /// What the bus shows of the device ("modalias"); any of them. None for what is loaded by name.
    package var aliases: [String]
    /// Names that its driver has been known by, the best first. They decide among several, and count for themselves in
    /// kernels whose modules have no aliases of that bus.
    package var drivers: [NamedDriver]
    /// Which drivers will do.
    package var acceptance: Acceptance
    /// Whether a kernel without such a driver needs none: it does the same in a part that is never a module.
    package var isOptional: Bool

    /// Makes a step.
    package init(
        _ title: String, aliases: [String] = [], drivers: [NamedDriver], acceptance: Acceptance = .any,
        isOptional: Bool = false
    ) {
        self.title = title
        self.aliases = aliases
        self.drivers = drivers
        self.acceptance = acceptance
        self.isOptional = isOptional
    }
}

/// Something that a guest finds on a hypervisor, or stacks up to its root file system, with what it takes to drive it.
package struct TargetDevice: Hashable, Sendable {
    /// What it is for.
    package enum Kind: Hashable, Sendable {
        /// A controller of disks, and the disks behind it.
        case storage
        /// A network card.
        case network
        /// A layer of the root file system's: the file system, LVM, MD, LUKS.
        case rootLayer
    }

    /// A word for it: a controller's name where it is one ("virtio-blk"), a card's ("vmxnet3"), a layer's ("ext4").
    package var name: String
    /// What it is for.
    package var kind: Kind
    /// The targets that offer it, by the names of the command line; none for a layer, which is everywhere.
    package var targets: [String]
    /// Ways to drive it, the best first; the steps of each from the bus upwards.
    package var routes: [[DriverStep]]

    /// Makes a device.
    package init(_ name: String, _ kind: Kind, targets: [String] = [], routes: [[DriverStep]]) {
        self.name = name
        self.kind = kind
        self.targets = targets
        self.routes = routes
    }

    /// Every controller and card of the table.
    package static let all: [TargetDevice] = storage + network

    /// The disks behind `controller` on `target`. Nil when that target does not offer it.
    package static func controller(_ controller: String, on target: String) -> TargetDevice? {
        storage.first { $0.name == controller && $0.targets.contains(target) }
    }

    /// The network cards of `target`, what it gives a new machine first.
    package static func networkCards(of target: String) -> [TargetDevice] {
        network.filter { $0.targets.contains(target) }
    }
}
