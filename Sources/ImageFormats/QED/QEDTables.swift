internal import Storage

/// The tables of a QED image.
struct QEDTables: ReadingTables {
    let header: QEDHeader
    private var table: TwoLevelTable
    private let fileEnd: UInt64

    var byteCount: UInt64 { header.diskSize }

    init(_ file: any ByteFile, header: QEDHeader) {
        self.header = header
        fileEnd = file.byteCount
        table = TwoLevelTable(
            file, offset: header.tableOffset, count: 1 << header.tableBits, secondBits: header.tableBits,
            isBigEndian: false)
    }

    /// What an entry of a second table says.
    private enum Entry {
        case free
        /// Zeros, whatever the backing file has.
        case zero
        case plain(UInt64)
    }

    mutating func piece(at offset: UInt64) throws(StorageError) -> Extent {
        let cluster = offset >> header.clusterBits
        let start = cluster << header.clusterBits
        let end = min(start + header.clusterSize, byteCount)
        guard let second = try table.second(cluster >> header.tableBits) else {
            let span = header.clusterSize << header.tableBits
            let next = (offset / span + 1) *? span ?? byteCount
            return Extent(range: offset..<min(next, byteCount), kind: .absent)
        }
        try check(second)
        let index = cluster & (1 << header.tableBits - 1)
        switch try self.entry(try table.entry(index, of: second), at: second + index * 8) {
        case .free: return Extent(range: offset..<end, kind: .absent)
        case .zero: return Extent(range: offset..<end, kind: .zero)
        case .plain(let host):
            let position = host + (offset - start)
            // A file that ends within a cluster: the rest was never written.
            guard position < fileEnd else { return Extent(range: offset..<end, kind: .zero) }
            let stop = min(end, offset + (fileEnd - position))
            return Extent(range: offset..<stop, kind: .plain(file: 0, offset: position))
        }
    }

    /// Throws for a second table outside of the file.
    private func check(_ second: UInt64) throws(StorageError) {
        guard second % header.clusterSize == 0, table.contains(second, count: table.secondByteCount) else {
            throw .qed(
                .corrupt, .outsideFile,
                "a second table at byte \(second.hex) does not lie in the file, which may be truncated",
                structure: "L1 table", offset: header.tableOffset)
        }
    }

    /// What an entry says. Throws for a cluster outside of the file.
    private func entry(_ raw: UInt64, at place: UInt64) throws(StorageError) -> Entry {
        switch raw {
        case 0: return .free
        case 1: return .zero
        default:
            guard raw % header.clusterSize == 0, raw < fileEnd else {
                throw .qed(
                    .corrupt, .outsideFile,
                    "a cluster at byte \(raw.hex) does not lie in the file, which may be truncated",
                    structure: "L2 table", offset: place)
            }
            return .plain(raw)
        }
    }

    /// Looks at every entry of all tables.
    mutating func check(report: (Finding) -> Void) throws(StorageError) {
        var seen = PlacesInUse(fileByteCount: fileEnd, clusterSize: header.clusterSize)
        if seen == nil {
            report(
                Finding(
                    .note, QEDCode.overlapUnknown,
                    "the file is so large that clusters named twice are not looked for"))
        }
        _ = seen?.take(header.tableOffset, count: table.secondByteCount)
        for index in 0..<UInt64(1) << header.tableBits {
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

    private static func overlap(_ host: UInt64, _ place: UInt64) -> Finding {
        Finding(
            .qed(
                .corrupt, .overlap, "what lies at byte \(host.hex) belongs to something else too",
                structure: "tables", offset: place))
    }
}
