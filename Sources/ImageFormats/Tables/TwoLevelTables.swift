internal import Storage

/// The tables of a format that has a table of tables, to be looked at as a whole.
protocol TwoLevelTables: ReadingTables {
    /// The tables.
    var table: TwoLevelTable { get set }
    /// Bytes of a cluster.
    var clusterSize: UInt64 { get }
    /// The file's length.
    var fileEnd: UInt64 { get }
    /// Says that clusters named twice are not looked for.
    var overlapUnknown: Finding { get }

    /// Throws for a second table outside of the file.
    func requireSecond(_ second: UInt64) throws(StorageError)

    /// Where the cluster lies that an entry at byte `place` names; nil where it names none that is by itself. Throws for one
    /// outside of the file.
    func place(named raw: UInt64, at place: UInt64) throws(StorageError) -> UInt64?

    /// What lies at byte `host` is named a second time, at byte `place`.
    func overlap(_ host: UInt64, named place: UInt64) -> StorageError
}

extension TwoLevelTables {
    /// Looks at every entry of all tables.
    mutating func check(report: (Finding) -> Void) throws(StorageError) {
        // Clusters need not begin at multiples of their size.
        var seen = PlacesInUse(fileByteCount: fileEnd, clusterSize: 512)
        if seen == nil { report(overlapUnknown) }
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
                report(Finding(overlap(second, named: table.offset + index * 8)))
                continue
            }
            try check(second, &seen, report)
        }
    }

    private mutating func check(
        _ second: UInt64, _ seen: inout PlacesInUse?, _ report: (Finding) -> Void
    ) throws(StorageError) {
        for number in 0..<UInt64(1) << table.secondBits {
            let at = second + number * 8
            do throws(StorageError) {
                guard let host = try place(named: try table.entry(number, of: second), at: at) else {
                    continue
                }
                if seen?.take(host, count: clusterSize) == false { report(Finding(overlap(host, named: at))) }
            } catch {
                guard error.kind == .corrupt else { throw error }
                report(Finding(error))
            }
        }
    }
}
