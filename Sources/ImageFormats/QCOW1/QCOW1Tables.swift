internal import Codecs
internal import Storage

/// The tables of a qcow version 1 image.
struct QCOW1Tables: TwoLevelTables {
    let header: QCOW1Header
    var table: TwoLevelTable
    let fileEnd: UInt64
    var clusterSize: UInt64 { header.clusterSize }

    var byteCount: UInt64 { header.diskSize }

    init(_ file: any ByteFile, header: QCOW1Header) {
        self.header = header
        fileEnd = file.byteCount
        table = TwoLevelTable(
            file, offset: header.tableOffset, count: header.tableCount, secondBits: header.tableBits,
            isBigEndian: true)
    }

    /// What an entry of a second table says.
    enum Entry: Equatable {
        case free
        case plain(UInt64)
        /// A raw deflate stream of so many bytes.
        case compressed(Range<UInt64>)
    }

    mutating func piece(at offset: UInt64) throws(StorageError) -> Extent {
        let cluster = offset >> header.clusterBits
        let start = cluster << header.clusterBits
        let end = min(start + header.clusterSize, byteCount)
        guard let second = try table.second(cluster >> header.tableBits) else {
            // No entry of it is there.
            let span = header.clusterSize << header.tableBits
            let next = (offset / span + 1) *? span ?? byteCount
            return Extent(range: offset..<min(next, byteCount), kind: .absent)
        }
        try requireSecond(second)
        let index = cluster & (1 << header.tableBits - 1)
        let place = second + index * 8
        switch try self.entry(try table.entry(index, of: second), at: place) {
        case .free: return Extent(range: offset..<end, kind: .absent)
        case .plain(let host):
            // A file that ends within a cluster: its writer did not pad, and the rest reads as zeros.
            let position = host + (offset - start)
            guard position < fileEnd else { return Extent(range: offset..<end, kind: .zero) }
            let stop = min(end, offset + (fileEnd - position))
            return Extent(range: offset..<stop, kind: .plain(file: 0, offset: position))
        case .compressed(let bytes):
            let unit = Extent.CompressedUnit(
                codec: .deflate, file: 0, hostRange: bytes, unitRange: start..<end)
            return Extent(range: offset..<end, kind: .compressed(unit))
        }
    }

    func requireSecond(_ second: UInt64) throws(StorageError) {
        guard second % 8 == 0, table.contains(second, count: table.secondByteCount) else {
            throw .qcow1(
                .corrupt, .outsideFile,
                "a second table at byte \(second.hex) does not lie in the file, which may be truncated",
                structure: "L1 table", offset: header.tableOffset)
        }
    }

    /// What an entry says. Throws for a cluster outside of the file.
    private func entry(_ raw: UInt64, at place: UInt64) throws(StorageError) -> Entry {
        guard raw != 0 else { return .free }
        guard raw >> 63 == 0 else {
            // The length stands above the place, in as many bits as a cluster has.
            let bits = 63 - header.clusterBits
            let length = raw >> bits & (header.clusterSize - 1)
            let host = raw & (1 << bits - 1)
            guard length > 0, table.contains(host, count: length) else { throw outside(host, place) }
            return .compressed(host..<host + length)
        }
        guard raw < fileEnd, raw % 512 == 0 else { throw outside(raw, place) }
        return .plain(raw)
    }

    private func outside(_ host: UInt64, _ place: UInt64) -> StorageError {
        .qcow1(
            .corrupt, .outsideFile,
            "a cluster at byte \(host.hex) does not lie in the file, which may be truncated",
            structure: "L2 table", offset: place)
    }

    func place(named raw: UInt64, at place: UInt64) throws(StorageError) -> UInt64? {
        guard case .plain(let host) = try entry(raw, at: place) else { return nil }
        return host
    }

    func overlap(_ host: UInt64, named place: UInt64) -> StorageError {
        .qcow1(
            .corrupt, .overlap, "what lies at byte \(host.hex) belongs to something else too",
            structure: "tables", offset: place)
    }

    var overlapUnknown: Finding {
        Finding(.note, QCOW1Code.overlapUnknown, PlacesInUse.tooLarge)
    }
}
