internal import Storage

/// A cluster: the unit in which files have space. The first one of the data area is 2.
struct ClusterNumber: Hashable, Comparable, Sendable, CustomStringConvertible {
    let rawValue: UInt32
    init(_ rawValue: UInt32) { self.rawValue = rawValue }
    static func < (left: ClusterNumber, right: ClusterNumber) -> Bool { left.rawValue < right.rawValue }
    var description: String { String(rawValue) }
    static let first = ClusterNumber(2)
}

/// Where everything lies, from a boot sector whose numbers make sense. Offsets are bytes from the volume's start.
struct Geometry: Sendable {
    let width: BootSector.Width
    let sectorSize: Int
    let clusterSize: Int
    let tableCount: Int
    let tableOffset: UInt64
    let tableByteCount: UInt64
    /// The table that is read.
    let activeTable: Int
    /// The others repeat it. Not so on FAT32 where a flag says that one alone is live.
    let isMirrored: Bool
    /// Of FAT12 and FAT16, whose root directory has a place and a length of its own.
    let rootOffset: UInt64
    let rootByteCount: Int
    let dataOffset: UInt64
    /// Of FAT32, whose root directory is a chain like others.
    let rootCluster: ClusterNumber
    /// As many as the tables have entries for.
    let clusterCount: UInt32
    /// As many as would fit the data area.
    let roomForClusters: UInt64
    let byteCount: UInt64
    /// Where FAT32 keeps its count of free clusters.
    let informationOffset: UInt64?
    /// Where FAT32 keeps a copy of the boot sector.
    let backupOffset: UInt64?

    init(_ boot: BootSector) {
        let sector = UInt64(boot.sectorSize)
        width = boot.width
        sectorSize = Int(boot.sectorSize)
        clusterSize = Int(boot.sectorSize * boot.sectorsPerCluster)
        tableCount = boot.tableCount
        tableOffset = UInt64(boot.reservedSectors) * sector
        tableByteCount = UInt64(boot.sectorsPerTable) * sector
        rootOffset = tableOffset + UInt64(boot.tableCount) * tableByteCount
        let isLong = boot.width == .fat32
        rootByteCount = boot.rootEntryCount * DirectorySlot.byteCount
        dataOffset = rootOffset + UInt64(rootByteCount).dividedRoundingUp(by: sector) * sector
        byteCount = boot.byteCount
        // Positive: the boot sector was not taken otherwise.
        roomForClusters = (byteCount - dataOffset) / UInt64(clusterSize)
        let bits: UInt64 = isLong ? 32 : boot.width == .fat16 ? 16 : 12
        // Numbers from FF7, FFF7 and 0FFFFFF7 on mean something else; two entries are no cluster's.
        let entryLimit: UInt64 = isLong ? 0x0fff_fff5 : boot.width == .fat16 ? 0xfff5 : 0xff5
        let entries = min(tableByteCount * 8 / bits, entryLimit)
        clusterCount = UInt32(clamping: min(roomForClusters, entries > 2 ? entries - 2 : 0))
        let flags: UInt16 = isLong ? boot.bytes.little(BootSector.Offset.tableFlags) : 0
        let isSingle = flags & 0x80 != 0 && Int(flags & 0xf) < boot.tableCount
        isMirrored = !isSingle
        activeTable = isSingle ? Int(flags & 0xf) : 0
        rootCluster = ClusterNumber(isLong ? boot.bytes.little(BootSector.Offset.rootCluster) : 0)
        func place(_ offset: Int) -> UInt64? {
            let number: UInt16 = boot.bytes.little(offset)
            return isLong && number > 0 && UInt32(number) < boot.reservedSectors
                ? UInt64(number) * sector : nil
        }
        informationOffset = place(BootSector.Offset.informationSector)
        backupOffset = place(BootSector.Offset.backupSector)
    }

    /// Whether it is a cluster of the data area.
    func contains(_ cluster: ClusterNumber) -> Bool {
        cluster.rawValue >= 2 && cluster.rawValue - 2 < clusterCount
    }

    /// The data area's clusters.
    var clusters: Range<UInt32> { 2..<clusterCount + 2 }

    /// Where a cluster of the data area lies.
    func byteOffset(of cluster: ClusterNumber) -> UInt64 {
        dataOffset + UInt64(cluster.rawValue - 2) * UInt64(clusterSize)
    }

    /// The cluster that a byte of the data area lies in.
    func cluster(at offset: UInt64) -> ClusterNumber? {
        guard offset >= dataOffset else { return nil }
        let index = (offset - dataOffset) / UInt64(clusterSize)
        return index < UInt64(clusterCount) ? ClusterNumber(UInt32(index) + 2) : nil
    }

    /// Clusters that `byteCount` bytes take.
    func clusterCount(for byteCount: UInt64) -> UInt64 {
        byteCount.dividedRoundingUp(by: UInt64(clusterSize))
    }

    /// The tables that are kept: all of them, or the live one.
    var keptTables: [Int] { isMirrored ? Array(0..<tableCount) : [activeTable] }

    /// The longest directory in bytes: 65536 slots (Linux, FAT_MAX_DIR_SIZE).
    static let directoryByteLimit = 65536 * DirectorySlot.byteCount
}
