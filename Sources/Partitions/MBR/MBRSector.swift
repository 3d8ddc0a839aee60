internal import Storage

/// One sector with a DOS partition table in its last 66 bytes: the master boot record or an extended boot
/// record. Bytes 0 to 445 are code and, in the MBR, the disk signature; this project never writes them.
struct MBRSector: Sendable {
    /// Disk signature at byte 440.
    let signature: UInt32
    /// The four entries, unused ones included.
    let entries: [Entry]
    private let bytes: [UInt8]

    /// One of the four 16-byte entries. The CHS fields are not read: nothing since 1998 relies on them.
    struct Entry: Sendable {
        let flag: UInt8
        let type: UInt8
        let start: UInt32
        let count: UInt32
        /// A type of 0 or a length of 0 marks a slot that is not used.
        var isUsed: Bool { type != 0 && count != 0 }
        var isExtended: Bool { MBRType.extendedTypes.contains(type) }
    }

    /// Nil without the 55 AA mark, with boot flags that cannot be, or with AIX's mark, which Linux heeds too.
    init?(_ sector: [UInt8]) {
        guard sector.count >= 512, sector[510] == 0x55, sector[511] == 0xaa else { return nil }
        guard !sector.span8.matches([0xc9, 0xc2, 0xd4, 0xc1]) else { return nil }
        bytes = sector
        signature = sector.little(440)
        entries = (0..<4).map { slot in
            let base = 446 + slot * 16
            return Entry(
                flag: sector[base], type: sector[base + 4], start: sector.little(base + 8),
                count: sector.little(base + 12))
        }
        guard entries.allSatisfy({ $0.flag == 0 || $0.flag == 0x80 }) else { return nil }
    }

    /// Whether a GPT's protective entry is among the four.
    var protectiveEntry: Entry? { entries.first { $0.type == MBRType.protective } }

    /// Whether at least one entry could be a partition of a disk of `sectorCount` sectors.
    func hasSaneEntry(sectorCount: UInt64) -> Bool {
        entries.contains { $0.isUsed && $0.start > 0 && UInt64($0.start) < sectorCount }
    }

    /// Whether the sector is the boot sector of a volume of NTFS, exFAT, ReFS or BitLocker, or of a file system that
    /// `probe` has a driver for (FAT): those carry 55 AA too.
    func looksLikeVolumeBootRecord(_ probe: VolumeProbe) -> Bool {
        let names = ["NTFS    ", "EXFAT   ", "-FVE-FS-"]
        if names.contains(where: { bytes.span8.matches(Array($0.utf8), at: 3) }) { return true }
        if bytes.span8.matches(Array("ReFS".utf8), at: 3) { return true }
        return probe.isBootSector(bytes)
    }
}
