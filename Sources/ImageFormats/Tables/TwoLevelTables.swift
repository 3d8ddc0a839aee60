internal import Codecs
internal import Storage

/// What an entry of a second table says.
enum TwoLevelEntry: Equatable {
    /// Nothing: the file behind this one has the cluster.
    case free
    /// Zeros, whatever the file behind has.
    case zero
    /// The cluster begins at this byte of the file.
    case plain(UInt64)
    /// A raw deflate stream in these bytes of the file.
    case compressed(Range<UInt64>)
}

/// The codes of what can be wrong with tables of tables, in a format's own layer.
struct TwoLevelCodes<Code: LayerCode> {
    /// Something lies behind the end of the file.
    let outsideFile: Code
    /// Something is named twice.
    let overlap: Code
    /// What is named twice is not looked for.
    let overlapUnknown: Code
}

/// The tables of a format that has a table of tables.
protocol TwoLevelTables: ReadingTables {
    associatedtype Code: LayerCode

    /// Its codes.
    static var codes: TwoLevelCodes<Code> { get }

    /// The tables.
    var table: TwoLevelTable { get set }
    /// The binary logarithm of a cluster's bytes.
    var clusterBits: UInt64 { get }
    /// The file's length.
    var fileEnd: UInt64 { get }
    /// Second tables begin at multiples of so many bytes.
    var secondAlignment: UInt64 { get }

    /// What an entry says; nil for a cluster that cannot be where it is said to be.
    func entry(_ raw: UInt64) -> TwoLevelEntry?
    /// The byte of the file that an entry names.
    func place(named raw: UInt64) -> UInt64
}

extension TwoLevelTables {
    /// The entry is the place.
    func place(named raw: UInt64) -> UInt64 { raw }

    mutating func piece(at offset: UInt64) throws(StorageError) -> Extent {
        let cluster = offset >> clusterBits
        let start = cluster << clusterBits
        let end = min(start + (1 << clusterBits), byteCount)
        guard let second = try table.second(cluster >> table.secondBits) else {
            // No entry of it is there.
            let span: UInt64 = 1 << (clusterBits + table.secondBits)
            let next = (offset / span + 1) *? span ?? byteCount
            return Extent(range: offset..<min(next, byteCount), kind: .absent)
        }
        try requireSecond(second)
        let index = cluster & (1 << table.secondBits - 1)
        switch try entry(index, of: second) {
        case .free: return Extent(range: offset..<end, kind: .absent)
        case .zero: return Extent(range: offset..<end, kind: .zero)
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
    private func requireSecond(_ second: UInt64) throws(StorageError) {
        guard second % secondAlignment == 0, table.contains(second, count: table.secondByteCount) else {
            throw StorageError(
                .corrupt, Self.codes.outsideFile,
                "a second table at byte \(second.hex) does not lie in the file, which may be truncated",
                structure: "L1 table", offset: table.offset)
        }
    }

    /// What entry number `index` of the second table at `second` says. Throws for a cluster outside of the file.
    private mutating func entry(_ index: UInt64, of second: UInt64) throws(StorageError) -> TwoLevelEntry {
        let raw = try table.entry(index, of: second)
        guard let entry = entry(raw) else {
            throw StorageError(
                .corrupt, Self.codes.outsideFile,
                "a cluster at byte \(place(named: raw).hex) does not lie in the file, which may be truncated",
                structure: "L2 table", offset: second + index * 8)
        }
        return entry
    }

    /// What lies at byte `host` is named a second time, at byte `place`.
    private func overlap(_ host: UInt64, named place: UInt64) -> Finding {
        Finding(
            StorageError(
                .corrupt, Self.codes.overlap, "what lies at byte \(host.hex) belongs to something else too",
                structure: "tables", offset: place))
    }

    /// Looks at every entry of all tables.
    mutating func check(report: (Finding) -> Void) throws(StorageError) {
        // Clusters need not begin at multiples of their size.
        var seen = PlacesInUse(fileByteCount: fileEnd, clusterSize: 512)
        if seen == nil { report(Finding(.note, Self.codes.overlapUnknown, PlacesInUse.tooLarge)) }
        _ = seen?.take(table.offset, count: table.count * 8)
        for index in 0..<table.count {
            if index & 0xfff == 0 { try Cancellation.check() }
            guard let second = try table.second(index) else { continue }
            do throws(StorageError) { try requireSecond(second) } catch {
                report(Finding(error))
                continue
            }
            // A table that several entries name is looked at once.
            guard seen?.take(second, count: table.secondByteCount) ?? true else {
                report(overlap(second, named: table.offset + index * 8))
                continue
            }
            try check(second, &seen, report)
        }
    }

    private mutating func check(
        _ second: UInt64, _ seen: inout PlacesInUse?, _ report: (Finding) -> Void
    ) throws(StorageError) {
        for number in 0..<UInt64(1) << table.secondBits {
            do throws(StorageError) {
                // Of what is compressed several lie in one cluster.
                guard case .plain(let host) = try entry(number, of: second) else { continue }
                if seen?.take(host, count: 1 << clusterBits) == false {
                    report(overlap(host, named: second + number * 8))
                }
            } catch {
                guard error.kind == .corrupt else { throw error }
                report(Finding(error))
            }
        }
    }
}
