internal import Storage

/// The BIOS parameter block of a FAT volume, accepted only when its numbers make sense.
struct FATBootSector {
    enum Width: String { case fat12 = "FAT12", fat16 = "FAT16", fat32 = "FAT32" }

    let width: Width
    let bytesPerSector: UInt32
    let sectorsPerCluster: UInt32
    let reservedSectors: UInt32
    let fatCount: UInt32
    let sectorsPerFAT: UInt32
    let rootEntryCount: UInt32
    let totalSectors: UInt32
    let rootCluster: UInt32
    let serial: UInt32
    let label: [UInt8]?
    let media: UInt8

    init?(_ sector: [UInt8]) {
        guard sector.count >= 512 else { return nil }
        let size = UInt32(sector.little(11, as: UInt16.self))
        guard size.nonzeroBitCount == 1, (512...4096).contains(size) else { return nil }
        bytesPerSector = size
        sectorsPerCluster = UInt32(sector[13])
        guard sectorsPerCluster.nonzeroBitCount == 1 else { return nil }
        reservedSectors = UInt32(sector.little(14, as: UInt16.self))
        fatCount = UInt32(sector[16])
        media = sector[21]
        guard reservedSectors > 0, (1...4).contains(fatCount), media == 0xf0 || media >= 0xf8 else {
            return nil
        }
        rootEntryCount = UInt32(sector.little(17, as: UInt16.self))
        let small = UInt32(sector.little(19, as: UInt16.self))
        totalSectors = small != 0 ? small : sector.little(32)
        let shortFAT = UInt32(sector.little(22, as: UInt16.self))
        let longFAT: UInt32 = sector.little(36)
        sectorsPerFAT = shortFAT != 0 ? shortFAT : longFAT

        let isLong = shortFAT == 0
        let extra = isLong ? 64 : 36
        let names = isLong ? ["FAT32   ", "MSWIN4.0", "MSWIN4.1"] : ["FAT12   ", "FAT16   ", "FAT     "]
        let nameOffset = isLong ? 82 : 54
        let isNamed = names.contains { sector.span8.matches(Array($0.utf8), at: nameOffset) }
        let isJump = sector[0] == 0xeb && sector[2] == 0x90 || sector[0] == 0xe9
        guard isNamed || isJump && sector[510] == 0x55 && sector[511] == 0xaa else { return nil }

        // 64-bit sums: 4 * 2^32 sectors of FAT do not fit 32 bits.
        let rootSectors = (UInt64(rootEntryCount) * 32).dividedRoundingUp(by: UInt64(size))
        let metadata = UInt64(reservedSectors) + UInt64(fatCount) * UInt64(sectorsPerFAT) + rootSectors
        guard sectorsPerFAT > 0, UInt64(totalSectors) > metadata else { return nil }
        let clusters = (UInt64(totalSectors) - metadata) / UInt64(sectorsPerCluster)
        // The width follows from the number of clusters alone (fatgen103); Linux takes a zero short FAT length
        // for FAT32 first.
        guard isLong || clusters < 65525 else { return nil }
        width = isLong ? .fat32 : clusters < 4085 ? .fat12 : .fat16
        rootCluster = isLong ? sector.little(44) : 0

        let hasExtra = sector[extra + 2] == 0x28 || sector[extra + 2] == 0x29
        serial = hasExtra ? sector.little(extra + 3) : 0
        let name = hasExtra && sector[extra + 2] == 0x29 ? sector.label(extra + 7..<extra + 18) : nil
        label = name == Array("NO NAME".utf8) ? nil : name
    }

    var byteCount: UInt64 { UInt64(totalSectors) * UInt64(bytesPerSector) }
    var clusterByteCount: Int { Int(sectorsPerCluster * bytesPerSector) }
    var fatOffset: UInt64 { UInt64(reservedSectors) * UInt64(bytesPerSector) }
    /// Where the FAT12 or FAT16 root directory begins, and the data area of all.
    var rootOffset: UInt64 {
        fatOffset + UInt64(fatCount) * UInt64(sectorsPerFAT) * UInt64(bytesPerSector)
    }
    var dataOffset: UInt64 {
        rootOffset
            + (UInt64(rootEntryCount) * 32).dividedRoundingUp(by: UInt64(bytesPerSector))
            * UInt64(bytesPerSector)
    }

    /// The serial number as blkid writes it.
    var serialText: String? {
        guard serial != 0 else { return nil }
        let digits = MBRReader.hex8(serial).uppercased()
        return digits.prefix(4) + "-" + digits.suffix(4)
    }
}
