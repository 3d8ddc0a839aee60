internal import Storage

/// The first sector of a FAT volume, with its BIOS parameter block (Microsoft's fatgen103, "Boot Sector and BPB
/// Structure"), accepted only when its numbers make sense. The rules are blkid's.
struct BootSector: Sendable {
    /// How long a table's entries are.
    enum Width: String, Sendable { case fat12 = "FAT12", fat16 = "FAT16", fat32 = "FAT32" }

    /// Where its fields lie, in bytes.
    enum Offset {
        static let systemName = 3
        static let bytesPerSector = 11
        static let sectorsPerCluster = 13
        static let reservedSectors = 14
        static let tableCount = 16
        static let rootEntryCount = 17
        static let sectorCount16 = 19
        static let media = 21
        static let sectorsPerTable16 = 22
        static let sectorCount32 = 32
        // FAT32 only.
        static let sectorsPerTable32 = 36
        static let tableFlags = 40
        static let rootCluster = 44
        static let informationSector = 48
        static let backupSector = 50
        /// Of state, signature 28h or 29h, serial number, label and type name: FAT12 and FAT16, then FAT32.
        static let extension16 = 36
        static let extension32 = 64
        // Within the extension.
        static let state = 1
        static let signature = 2
        static let serial = 3
        static let label = 7
        static let typeName = 18
    }

    /// What is read and held: the part that says something.
    static let byteCount = 512
    /// Of a label, blanks behind it.
    static let labelByteCount = 11

    /// The sector's first 512 bytes.
    let bytes: [UInt8]
    let width: Width
    let sectorSize: UInt32
    let sectorsPerCluster: UInt32
    let sectorsPerTable: UInt32
    let sectorCount: UInt32

    /// From the first bytes of a volume; nil when they are no boot sector of FAT.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.byteCount, !Self.isOther(bytes) else { return nil }
        let size = UInt32(bytes.little(Offset.bytesPerSector, as: UInt16.self))
        let perCluster = UInt32(bytes[Offset.sectorsPerCluster])
        guard size.nonzeroBitCount == 1, (512...4096).contains(size), perCluster.nonzeroBitCount == 1 else {
            return nil
        }
        let reserved = UInt64(bytes.little(Offset.reservedSectors, as: UInt16.self))
        let tables = UInt64(bytes[Offset.tableCount])
        let media = bytes[Offset.media]
        guard reserved > 0, (1...4).contains(tables), media == 0xf0 || media >= 0xf8 else { return nil }
        let short = UInt32(bytes.little(Offset.sectorCount16, as: UInt16.self))
        let total = short != 0 ? short : bytes.little(Offset.sectorCount32)
        let shortTable = UInt32(bytes.little(Offset.sectorsPerTable16, as: UInt16.self))
        let isLong = shortTable == 0
        let perTable = isLong ? bytes.little(Offset.sectorsPerTable32) : shortTable
        guard Self.isNamed(bytes, isLong: isLong) || Self.isBootable(bytes) else { return nil }

        // 64-bit sums: 4 * 2^32 sectors of table do not fit 32 bits.
        let rootBytes = UInt64(bytes.little(Offset.rootEntryCount, as: UInt16.self)) * 32
        let metadata = reserved + tables * UInt64(perTable) + rootBytes.dividedRoundingUp(by: UInt64(size))
        guard perTable > 0, UInt64(total) > metadata else { return nil }
        let clusters = (UInt64(total) - metadata) / UInt64(perCluster)
        // The width follows from the number of clusters alone (fatgen103); Linux takes a zero short table length
        // for FAT32 first.
        guard isLong || clusters < 65525 else { return nil }
        width = isLong ? .fat32 : clusters < 4085 ? .fat12 : .fat16
        self.bytes = Array(bytes[..<Self.byteCount])
        sectorSize = size
        sectorsPerCluster = perCluster
        sectorsPerTable = perTable
        sectorCount = total
    }

    /// Boot sectors of other systems that carry a parameter block, too.
    private static func isOther(_ bytes: [UInt8]) -> Bool {
        ["NTFS    ", "EXFAT   ", "-FVE-FS-"].contains {
            bytes.span8.matches(Array($0.utf8), at: Offset.systemName)
        }
    }

    private static func isNamed(_ bytes: [UInt8], isLong: Bool) -> Bool {
        let names = isLong ? ["FAT32   ", "MSWIN4.0", "MSWIN4.1"] : ["FAT12   ", "FAT16   ", "FAT     "]
        let offset = (isLong ? Offset.extension32 : Offset.extension16) + Offset.typeName
        return names.contains { bytes.span8.matches(Array($0.utf8), at: offset) }
    }

    private static func isBootable(_ bytes: [UInt8]) -> Bool {
        (bytes[0] == 0xeb && bytes[2] == 0x90 || bytes[0] == 0xe9) && bytes[510] == 0x55 && bytes[511] == 0xaa
    }

    var reservedSectors: UInt32 { UInt32(bytes.little(Offset.reservedSectors, as: UInt16.self)) }
    var tableCount: Int { Int(bytes[Offset.tableCount]) }
    var rootEntryCount: Int { Int(bytes.little(Offset.rootEntryCount, as: UInt16.self)) }
    var media: UInt8 { bytes[Offset.media] }
    var byteCount: UInt64 { UInt64(sectorCount) * UInt64(sectorSize) }

    private var extensionOffset: Int { width == .fat32 ? Offset.extension32 : Offset.extension16 }
    /// Where the state byte lies: bit 0 set while the volume is mounted, bit 1 after errors of the medium.
    var stateOffset: Int { extensionOffset + Offset.state }
    /// The volume was not unmounted.
    var isDirty: Bool { bytes[stateOffset] & 1 != 0 }
    /// An error of the medium was met.
    var hasHardError: Bool { bytes[stateOffset] & 2 != 0 }

    /// Where the label lies; nil where the sector has none.
    var labelOffset: Int? {
        bytes[extensionOffset + Offset.signature] == 0x29 ? extensionOffset + Offset.label : nil
    }

    /// The label that the sector has; nil for none.
    var label: [UInt8]? {
        guard let offset = labelOffset,
            let text = Self.label(bytes[offset..<offset + Self.labelByteCount]), text != Array("NO NAME".utf8)
        else { return nil }
        return text
    }

    /// The serial number as blkid writes it: "1234-ABCD".
    var serialText: String? {
        let signature = bytes[extensionOffset + Offset.signature]
        guard signature == 0x28 || signature == 0x29 else { return nil }
        let serial: UInt32 = bytes.little(extensionOffset + Offset.serial)
        guard serial != 0 else { return nil }
        let digits = (0..<4).map { UInt8(truncatingIfNeeded: serial >> (24 - 8 * UInt32($0))) }
            .hexString.uppercased()
        return digits.prefix(4) + "-" + digits.suffix(4)
    }

    /// A label's bytes up to the first NUL and without blanks behind; nil when nothing is left.
    static func label(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        var text = bytes.prefix { $0 != 0 }
        while text.last == UInt8(ascii: " ") { text.removeLast() }
        return text.isEmpty ? nil : Array(text)
    }
}
