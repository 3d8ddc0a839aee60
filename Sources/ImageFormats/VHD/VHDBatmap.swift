internal import Storage

/// XenServer's addition behind the block allocation table: a bit a block that says "all its sectors are here", so
/// that its sector bitmap need not be read. Fields as in blktap's `dd_batmap_hdr`; big-endian; bits from the most
/// significant one.
///
/// A bit that is not set promises nothing. So new bits need never be set for the map to be true; one that is set
/// for a block which is about to become a partial one has to go.
struct VHDBatmap: Sendable {
    static let cookie = Array("tdbatmap".utf8)
    /// Enough for the largest disk in blocks of 256 KiB.
    static let sizeLimit: UInt64 = 1 << 20

    let headerOffset: UInt64
    private(set) var header: [UInt8]
    var mapOffset: UInt64 { header.big(8) }
    /// In bytes.
    var mapSize: UInt64 { UInt64(header.big(16, as: UInt32.self)) * 512 }
    /// Everything it occupies, header and map.
    var ranges: [(start: UInt64, count: UInt64)] { [(headerOffset, 512), (mapOffset, mapSize)] }

    /// The batmap of a disk; nil when it has none.
    init?(in file: any ByteFile, _ table: VHDDynamicHeader) throws(StorageError) {
        guard let tableEnd = (table.tableOffset +? UInt64(table.tableEntries) * 4)?.roundedUp(to: 512) else {
            return nil
        }
        headerOffset = tableEnd
        header = try file.availableBytes(at: tableEnd, count: 512)
        guard header.count == 512, header.span8.matches(Self.cookie), mapSize > 0,
            let end = mapOffset +? mapSize, end <= file.byteCount
        else { return nil }
    }

    /// Whether it says that `block` is whole.
    func promises(_ block: UInt64, in file: any ByteFile) throws(StorageError) -> Bool {
        guard block / 8 < mapSize else { return false }
        let byte = try file.bytes(at: mapOffset + block / 8, count: 1)
        return SectorBits.get(byte, Int(block % 8), .mostSignificantFirst)
    }

    /// Header and map as they are at byte `offset`, behind a table of `entries` entries.
    func moved(to offset: UInt64, entries: UInt32, in file: any ByteFile) throws(StorageError) -> [UInt8] {
        guard mapSize <= Self.sizeLimit else { throw tooLarge }
        var map = try file.bytes(at: mapOffset, count: Int(mapSize))
        let size = max(
            map.count, Int((UInt64(entries).dividedRoundingUp(by: 8)).dividedRoundingUp(by: 512) * 512))
        map += [UInt8](repeating: 0, count: size - map.count)
        var header = header
        header.storeBig(offset + 512, at: 8)
        header.storeBig(UInt32(size / 512), at: 16)
        header.storeBig(VHDChecksum.of(map), at: 24)
        return header + map
    }

    private var tooLarge: StorageError {
        .vhd(
            .unsupported, .batmapTooLarge, "the batmap is larger than any disk needs",
            structure: "batmap header", offset: headerOffset)
    }

    /// Takes back what it says of `blocks` and makes its checksum fit. The caller puts a barrier behind.
    mutating func withdraw(_ blocks: [UInt64], in file: any ByteFile) throws(StorageError) {
        guard mapSize <= Self.sizeLimit else { throw tooLarge }
        var map = try file.bytes(at: mapOffset, count: Int(mapSize))
        for block in blocks where block / 8 < mapSize {
            map[Int(block / 8)] &= ~(0x80 >> UInt8(block % 8))
        }
        header.storeBig(VHDChecksum.of(map), at: 24)
        try file.write(map, at: mapOffset)
        try file.write(header, at: headerOffset)
    }
}
