/// Disks and arrays that have a directory of their own below /dev (the kernel's Documentation/admin-guide/devices.txt), which
/// looks like a volume group's.
extension DiskName {
    /// Reads "cciss/c0d0p1", "i2o/hda1", "ataraid/d0p1", "etherd/e0.1p1" (what follows "/dev/"): the disk and the
    /// partition's number. Nil for anything else.
    static func parse(directoryNode text: String) -> (disk: DiskName, partition: Int?)? {
        // The kernel itself writes the slash as "!".
        guard let separator = text.firstIndex(where: { $0 == "/" || $0 == "!" }),
            let family = Family(rawValue: String(text[..<separator]))
        else { return nil }
        let node = text[text.index(after: separator)...]
        switch family {
        case .cciss, .ida, .rd: return parseNumbered(node, "c", "d", family: family)
        case .i2o:
            return lettersAndPartition(node, behind: "hd").map { letters, position, partition in
                (DiskName(family: .i2o, position: position, base: "/dev/i2o/hd\(letters)"), partition)
            }
        case .ataraid, .umem: return parseUnit(node, "d", family: family)
        case .amiraid: return parseUnit(node, "ar", family: family)
        case .sx8: return parseUnit(node, "", family: family)
        case .etherd: return parseShelf(node)
        default: return nil
        }
    }

    /// d0p1: a number, and "p" before the partition.
    private static func parseUnit(
        _ node: Substring, _ prefix: String, family: Family
    ) -> (disk: DiskName, partition: Int?)? {
        guard node.hasPrefix(prefix), let (unit, partition) = unitAndPartition(node.dropFirst(prefix.count))
        else { return nil }
        let base = "/dev/\(family.rawValue)/\(prefix)\(unit)"
        return (DiskName(family: family, position: unit, base: base), partition)
    }

    /// e0.1p1: shelf and slot, which say nothing of the order of the disks.
    private static func parseShelf(_ node: Substring) -> (disk: DiskName, partition: Int?)? {
        let parts = node.dropFirst().split(separator: ".", omittingEmptySubsequences: false)
        guard node.first == "e", parts.count == 2, let shelf = smallNumber(parts[0]),
            let (slot, partition) = unitAndPartition(parts[1])
        else { return nil }
        return (DiskName(family: .etherd, position: nil, base: "/dev/etherd/e\(shelf).\(slot)"), partition)
    }
}

extension DeviceName {
    /// Directories below /dev that the kernel, udev, devfs or a driver makes: LVM makes no group of a name that is there. What
    /// is in them is no disk of the guest's, or one that nothing shows.
    static let directories: Set<String> = [
        "", "amiraid", "asm", "ataraid", "bcache", "block", "bsg", "bus", "by-path", "cbd", "cdroms", "char",
        "cpu", "dasd", "discs", "disk", "dlm", "dm", "dma_heap", "dri", "drbd", "dvb", "emd", "etherd",
        "evms", "fd", "floppy", "gnbd", "hugepages", "i2o", "ide", "infiniband", "input", "iseries", "loop",
        "lvm", "mapper", "misc", "mqueue", "mtd", "mtdblock", "nbd", "net", "oracleasm", "pktcdvd", "pts",
        "pty", "ram", "raw", "rbd", "scsi", "serial", "shm", "snd", "stratis", "sx8", "tts", "ubd", "umem",
        "usb", "v4l", "vc", "vcc", "vfio", "vboxusb", "virtio-ports", "vx", "xen", "zvol",
    ]
}
