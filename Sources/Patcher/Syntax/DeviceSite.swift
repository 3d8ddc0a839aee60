/// A place in a file that names a device.
package struct DeviceSite: Sendable, Equatable {
    /// What the name is for.
    package enum Use: Sendable, Equatable {
        /// The device of an fstab row.
        case fstab(Fstab.Row)
        /// A device in the options of an fstab row.
        case fstabOption(name: String, Fstab.Row)
        /// An argument of an entry's kernel.
        case kernelArgument(name: String, entry: BootEntry)
        /// An argument that settings hand to every kernel.
        case sharedKernelArgument(name: String)
        /// The disk that the boot loader is installed to, or one of its map.
        case loaderDisk
        /// The encrypted device of a crypttab row.
        case crypttab(Crypttab.Row)
        /// Where the key ("key") or the header ("header") of a crypttab row lies.
        case crypttabPart(name: String, Crypttab.Row)
        /// A row of LVM's devices file, and the identifier of its physical volume without dashes, where it has one: it decides, and
        /// the name is a hint.
        case lvmDevice(pvid: String?)
        /// What a unit of systemd mounts, and what is said to lie there; nil for a device in its options.
        case unit(mountPoint: String, MountTypes?)
        /// A device that a unit of systemd is tied to, as the unit that stands for it.
        case unitDependency(unit: String)
        /// A name in a file that is never changed; the text says what it is for.
        case reported(String)

        /// Whether such names tell which disks the guest has.
        var countsDisks: Bool {
            switch self {
            case .fstab(let row): !row.isRemovableMedium
            case .fstabOption, .kernelArgument, .sharedKernelArgument, .crypttab, .crypttabPart, .lvmDevice,
                .unit, .unitDependency:
                true
            case .reported, .loaderDisk: false
            }
        }

        /// A start of the system waits for it, and the system is not running from it.
        var isAwaited: Bool {
            switch self {
            case .fstab(let row): row.isLocalDevice && !row.isNoauto && row.mountPoint != "/"
            case .crypttab, .unit: true
            case .kernelArgument(let name, _), .sharedKernelArgument(let name):
                KernelCommandLine.mounts.contains(name)
            default: false
            }
        }

        /// It is the root, mounted, swapped to, or decrypted: a volume is meant, never a disk with partitions.
        var takesVolume: Bool {
            switch self {
            case .fstab(let row): !row.isRemovableMedium
            case .crypttab, .unit: true
            default: isKernelArgument("root")
            }
        }

        /// The root's row, or the kernel's argument.
        var isRoot: Bool {
            if case .fstab(let row) = self { row.mountPoint == "/" } else { isKernelArgument("root") }
        }

        /// A swap area, to swap to or to resume from.
        var isSwap: Bool {
            if case .fstab(let row) = self { row.isSwap } else { isKernelArgument("resume") }
        }

        /// The kernel argument of that name, an entry's or every kernel's.
        func isKernelArgument(_ argument: String) -> Bool {
            switch self {
            case .kernelArgument(argument, _), .sharedKernelArgument(argument): true
            default: false
            }
        }

        /// For people: "root=", "device of /data".
        package var summary: String {
            switch self {
            case .fstab(let row): row.isSwap ? "swap device" : "device of \(row.mountPoint)"
            case .fstabOption(let name, let row): "\(name)= of \(row.mountPoint)"
            case .kernelArgument(let name, let entry): "\(name)= of “\(entry.title)”"
            case .sharedKernelArgument(let name): "\(name)= for every kernel"
            case .loaderDisk: "disk of the boot loader"
            case .crypttab(let row): "encrypted device \(row.name)"
            case .crypttabPart(let part, let row): "\(part) of the encrypted device \(row.name)"
            case .lvmDevice: "LVM device"
            case .unit(let mountPoint, _): "device of \(mountPoint)"
            case .unitDependency(let unit): "device that \(unit) is tied to"
            case .reported(let summary): summary
            }
        }
    }

    /// The bytes of the name.
    package var range: Range<Int>
    /// The name.
    package var text: String
    /// What it is for.
    package var use: Use
    /// Its bytes are not the name itself: escapes or variables are in them.
    package var isOpaque = false
}

extension DeviceSite {
    /// A disk that the boot loader is installed to.
    static func loaderDisk(_ bytes: [UInt8], _ range: Range<Int>) -> DeviceSite {
        DeviceSite(range: range, text: bytes.text(range), use: .loaderDisk)
    }
}
