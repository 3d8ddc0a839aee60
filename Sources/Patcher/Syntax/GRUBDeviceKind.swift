internal import Storage

/// What a GRUB means by the name of a device that is no disk of the firmware's (grub manual, "Device syntax").
enum GRUBDeviceKind: Sendable, Hashable {
    /// A disk by the firmware's count.
    case disk(GRUBDevice)
    /// A logical volume by group and name, as the mapper writes them.
    case logicalVolume(String)
    /// A logical volume by its group's and its own UUID.
    case logicalVolumeByUUID
    /// An array by its name.
    case array(String)
    /// An array by its UUID.
    case arrayByUUID
    /// What `cryptomount` opens.
    case container
    /// A floppy disk or a CD.
    case medium
    /// A slice of BSD's in a disk, or in a partition.
    case slice
    /// A disk behind a controller that GRUB drives itself, where a module of that name is loaded.
    case ownDriver(String)
    /// The network.
    case network
    /// What GRUB makes itself: a file that `loopback` opens, memory.
    case made
    /// Not known here.
    case other

    /// The kind of a name with or without its parentheses; GRUB legacy (`isLegacy`) counts partitions from 0.
    init(_ text: some StringProtocol, isLegacy: Bool) {
        if let disk = GRUBDevice(text, countsFromZero: isLegacy) {
            self = .disk(disk)
            return
        }
        let name = String(text.filter { !"()".contains($0) })
        let head = String(name.prefix { $0 != "," && $0 != "/" })
        let stem = String(head.prefix { !$0.isNumber })
        switch stem {
        case "fd", "cd": self = .medium
        case "hd": self = Self.isSlice(name) ? .slice : .other
        case "nd", "tftp", "http", "https", "pxe", "net", "efinet": self = .network
        case _ where isLegacy: self = .other
        case "lvm": self = .logicalVolume(String(name.dropFirst("lvm/".count)))
        case "lvmid": self = .logicalVolumeByUUID
        case "md": self = .array(String(name.dropFirst("md/".count)))
        case "mduuid": self = .arrayByUUID
        case "crypto", "cryptouuid": self = .container
        case "ahci", "ata", "usb", "scsi", "virtdisk", "ieee", "ofdisk", "arc", "xen":
            self = .ownDriver(stem == "ieee" ? "ofdisk" : stem)
        case "loop", "memdisk", "proc", "ram", "mem", "host", "iso", "iso_loop": self = .made
        default: self = .other
        }
    }

    /// "hd0,a", "hd0,0,a", "hd0,msdos1,bsd2": letters and further numbers behind the partition.
    private static func isSlice(_ name: String) -> Bool {
        let parts = name.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count > 1, DiskName.smallNumber(parts[0].dropFirst(2)) != nil else { return false }
        let tables = ["msdos", "gpt"]
        return parts.dropFirst().contains { part in
            let word = part.prefix { !$0.isNumber }
            return !word.isEmpty && !tables.contains(String(word))
        }
    }
}

extension GRUBDeviceKind {
    /// Controllers that a driver of GRUB's own drives.
    static func controllers(of driver: String) -> Set<Controller> {
        switch driver {
        case "ahci": [.ahci]
        case "ata": [.ide]
        // What USB's disks and ATAPI drives are behind; whose disk it is only the machine knows.
        case "scsi": [.ide, .ahci]
        default: []
        }
    }
}
