internal import Codecs
internal import Storage

/// The tables of a qcow version 1 image.
struct QCOW1Tables: ReadingTables {
    let header: QCOW1Header
    private var table: TwoLevelTable
    private let fileEnd: UInt64

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
        try check(second)
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

    /// Throws for a second table outside of the file.
    private func check(_ second: UInt64) throws(StorageError) {
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

    /// Looks at every entry of all tables.
    mutating func check(report: (Finding) -> Void) throws(StorageError) {
        var seen = PlacesInUse(fileByteCount: fileEnd, clusterSize: 512)
        if seen == nil { report(Self.overlapUnknown) }
        _ = seen?.take(header.tableOffset, count: header.tableCount * 8)
        for index in 0..<header.tableCount {
            if index & 0xfff == 0 { try Cancellation.check() }
            guard let second = try table.second(index) else { continue }
            do throws(StorageError) { try check(second) } catch {
                report(Finding(error))
                continue
            }
            // A table that several entries name is looked at once.
            guard seen?.take(second, count: table.secondByteCount) ?? true else {
                report(Self.overlap(second, header.tableOffset + index * 8))
                continue
            }
            for number in 0..<UInt64(1) << header.tableBits {
                let place = second + number * 8
                do throws(StorageError) {
                    guard case .plain(let host) = try entry(try table.entry(number, of: second), at: place)
                    else {
                        continue
                    }
                    if seen?.take(host, count: header.clusterSize) == false {
                        report(Self.overlap(host, place))
                    }
                } catch {
                    guard error.kind == .corrupt else { throw error }
                    report(Finding(error))
                }
            }
        }
    }

    private static var overlapUnknown: Finding {
        Finding(
            .note, QCOW1Code.overlapUnknown,
            "the file is so large that clusters named twice are not looked for")
    }

    private static func overlap(_ host: UInt64, _ place: UInt64) -> Finding {
        Finding(
            .qcow1(
                .corrupt, .overlap, "what lies at byte \(host.hex) belongs to something else too",
                structure: "tables", offset: place))
    }
}
