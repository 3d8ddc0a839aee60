internal import Storage

/// The tables of a QED image.
struct QEDTables: TwoLevelTables {
    let header: QEDHeader
    var table: TwoLevelTable
    let fileEnd: UInt64
    var clusterSize: UInt64 { header.clusterSize }

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
        try requireSecond(second)
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

    func requireSecond(_ second: UInt64) throws(StorageError) {
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

    func place(named raw: UInt64, at place: UInt64) throws(StorageError) -> UInt64? {
        guard case .plain(let host) = try entry(raw, at: place) else { return nil }
        return host
    }

    func overlap(_ host: UInt64, named place: UInt64) -> StorageError {
        .qed(
            .corrupt, .overlap, "what lies at byte \(host.hex) belongs to something else too",
            structure: "tables", offset: place)
    }

    var overlapUnknown: Finding {
        Finding(.note, QEDCode.overlapUnknown, PlacesInUse.tooLarge)
    }
}
