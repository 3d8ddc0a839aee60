package import Storage

/// A virtual machine, as a description of it says or is to say: what of it decides whether and how its disks are started.
package struct Machine: Sendable, Equatable {
    /// Its name.
    package var name: String?
    /// The identifier that its firmware tells the guest.
    package var identifier: UUID16?
    /// What it starts by; nil where that is not said.
    package var firmware: Firmware?
    /// Whether its firmware starts signed loaders alone; nil where that is not said.
    package var hasSecureBoot: Bool?
    /// How many processors it has.
    package var processorCount: Int?
    /// Its memory in bytes.
    package var memoryByteCount: UInt64?
    /// The hypervisor whose description it is; nil where that is not said.
    package var platform: Platform?
    /// It has no firmware: Xen starts the guest's kernel itself.
    package var isParavirtualized = false
    /// What a reader of the description should know, a sentence each: parts that are not there.
    package var notes: [String] = []
    /// The guest's system, as the description's own language names it ("rhel8_64Guest").
    package var operatingSystem: String?
    /// The controllers of its disks, in the order of their numbers on each bus.
    package var controllers: [DiskController]
    /// Its disks, in the order in which its firmware and its guest count them.
    package var disks: [Disk]
    /// Disks that it has and that no file is given of: blank ones, or those that were not chosen. They have their places, which
    /// names of disks go by.
    package var absentDisks: [Disk] = []
    /// Its network cards, in order.
    package var cards: [NetworkCard]

    /// What a machine starts by.
    package enum Firmware: String, Sendable {
        /// A BIOS.
        case bios
        /// UEFI.
        case uefi
    }

    /// Who runs the machine.
    package enum Platform: String, Sendable {
        /// VMware ESX, Workstation, Fusion.
        case vmware
        /// Oracle VirtualBox.
        case virtualbox
        /// QEMU with KVM: libvirt, Proxmox, oVirt.
        case kvm
        /// XenServer, XCP-ng, Xen.
        case xen
        /// Hyper-V.
        case hyperv
    }

    /// Makes a machine of which nothing is known.
    package init(name: String? = nil) {
        self.name = name
        controllers = []
        disks = []
        cards = []
    }
}
