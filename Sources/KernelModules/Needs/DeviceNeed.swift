package import Storage

/// The modules that an initramfs holds, by canonical name.
package struct HeldModules: Sendable {
    private var names: Set<String> = []

    /// Nothing.
    package init() {}

    /// From paths or names: "lib/modules/6.1.0/kernel/fs/ext4/ext4.ko.xz", "ext4.ko", "ext4".
    package init(_ paths: some Sequence<String>) {
        for path in paths { insert(path) }
    }

    /// Takes one more.
    package mutating func insert(_ path: String) {
        names.insert(ModuleName.ofFile(path) ?? ModuleName.canonical(path))
    }

    /// Takes one out.
    package mutating func remove(_ name: String) { names.remove(ModuleName.canonical(name)) }

    /// Whether it holds the module of that name.
    package func contains(_ name: String) -> Bool { names.contains(ModuleName.canonical(name)) }
}

/// Whether a guest can drive a device from its initramfs.
package enum DriverAnswer: Equatable, Sendable {
    /// The initramfs holds everything that is not built in.
    case present
    /// Everything is built in.
    case builtin
    /// The kernel has the drivers, and these modules are missing in the initramfs: in the order in which they can be
    /// loaded one by one, with what they depend on and what they ask for.
    case missing([KernelModule])
    /// The same, and one of them is of no use: for another kernel or machine, damaged, or not there.
    case unusable([KernelModule], StorageError)
    /// The kernel has no driver for this step.
    case noSuchDriver(DriverStep)
    /// It cannot be told.
    case unreadable(StorageError)
}

/// A device's answer, and how it came about.
package struct DeviceNeed: Equatable, Sendable {
    /// Where the driver of a step comes from.
    package enum Origin: Hashable, Sendable {
        /// It is part of the kernel.
        case builtin
        /// The initramfs holds it with all that it depends on.
        case held
        /// It or something that it depends on is missing in the initramfs.
        case missing
    }

    /// A step with the driver that was chosen for it, by canonical name.
    package struct Driver: Hashable, Sendable {
        package var step: DriverStep
        package var name: String
        package var origin: Origin
    }

    /// The device.
    package var device: TargetDevice
    /// The answer.
    package var answer: DriverAnswer
    /// The drivers of the route that was taken, in the order of its steps. Optional steps without one are left out.
    package var drivers: [Driver]
}
