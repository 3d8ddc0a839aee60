internal import Storage

/// Compares the refcounts with the references, as `qemu-img check` does: a count that is too high leaks a cluster, one
/// that is too low lets a writer destroy it.
struct QCOW2Check {
    /// Clusters whose refcount has to become what it ought to be: leaks alone.
    struct Leak {
        var clusters: Range<UInt64>
        var count: UInt64
    }

    let file: any ByteFile
    var tables: QCOW2Tables
    var references = QCOW2References()
    var leaks: [Leak] = []
    private(set) var isDamaged = false
    /// L2 tables by place, with how many L1 entries name each: one that snapshots share is walked once.
    private var l2Tables: [UInt64: UInt64] = [:]
    /// Those of the disk as it is now: flags of a snapshot's own tables are not kept true.
    private var activeTables = Set<UInt64>()
    let fileClusters: UInt64
    let bits: UInt64
    private var reported = 0
    /// What those that were not told are about.
    private var untold: [Severity: UInt64] = [:]

    /// More findings than this are not told one by one.
    private static let findingLimit = 200
    /// What the largest L1 table can name.
    private static let tableLimit = Int(QCOW2Header.l1ByteLimit / 8)
    /// More leaks than this are not given back at once.
    static let leakLimit = 1 << 20

    init(_ file: any ByteFile) throws(StorageError) {
        self.file = file
        let header = try QCOW2Header(reading: file)
        tables = QCOW2Tables(file: file, header: header)
        bits = UInt64(header.clusterBits)
        fileClusters = file.byteCount.dividedRoundingUp(by: header.clusterSize)
    }

    var header: QCOW2Header { tables.header }

    mutating func run(_ report: (Finding) -> Void) throws(StorageError) {
        try requireBuilt()
        try references.add(0..<1, isMetadata: true)
        try addL1(at: header.l1Offset, count: UInt64(header.l1Count), report)
        try addSnapshots(report)
        try addBitmaps(report)
        try walkL2(report)
        let blocks = try addRefcountTables(report)
        try compare(blocks, report)
        for severity in [Severity.damage, .leak] {
            guard let count = untold[severity] else { continue }
            report(
                ToldFindings.rest(
                    severity, "there are more of this kind, \(count) clusters or entries",
                    layer: QCOW2Code.layer, count: count))
        }
    }

    /// What refers to clusters in ways that are not known here would be taken for leaks.
    private func requireBuilt() throws(StorageError) {
        guard !header.incompatible.contains(.extendedL2), !header.incompatible.contains(.dataFile),
            header.cryptMethod == 0
        else {
            throw .qcow2(
                .checkNotBuilt,
                "its refcounts cannot be checked yet (extended L2 entries, a data file or encryption); use "
                    + "qemu-img check", structure: "header")
        }
    }

    mutating func tell(
        _ finding: Finding, _ report: (Finding) -> Void
    ) {
        if finding.severity == .damage { isDamaged = true }
        reported += 1
        if reported <= Self.findingLimit {
            report(finding)
        } else {
            untold[finding.severity, default: 0] += finding.count
        }
    }

    mutating func damage(
        _ code: QCOW2Code, _ message: String, _ structure: String, _ offset: UInt64,
        _ report: (Finding) -> Void
    ) {
        tell(
            Finding(
                .damage, code, message, structure: structure, offset: offset), report)
    }

    // MARK: References

    private mutating func addL1(
        at offset: UInt64, count: UInt64, _ report: (Finding) -> Void
    ) throws(StorageError) {
        guard count > 0 else { return }
        guard header.isTableOffset(offset), offset < file.byteCount, count * 8 <= file.byteCount - offset
        else {
            return damage(
                .l1Offset, "the L1 table does not lie in the file", "L1 table", offset, report)
        }
        try references.add(
            offset >> bits..<(offset + count * 8).dividedRoundingUp(by: header.clusterSize), isMetadata: true)
        var index: UInt64 = 0
        while let found = try tables.pages.firstEntry(
            QCOW2Entry.offsetMask, at: offset, from: index, to: count)
        {
            index = found + 1
            let place = offset + found * 8
            let table = try tables.pages.entry(at: place) & QCOW2Entry.offsetMask
            guard table % header.clusterSize == 0, table < file.byteCount else {
                damage(
                    .l2TableOffset, "an L2 table's offset \(table.hex) is not that of a cluster in the file",
                    "L1 table", place, report)
                continue
            }
            l2Tables[table, default: 0] += 1
            guard l2Tables.count <= Self.tableLimit else {
                throw .memoryBound(
                    "qcow2", "it has more than \(Self.tableLimit) L2 tables; use qemu-img check",
                    structure: "L1 table", offset: place)
            }
            guard offset == header.l1Offset else { continue }
            activeTables.insert(table)
            try checkCopied(at: place, table >> bits, "L1 table", report)
        }
    }

    /// Entries of the active tables say whether the refcount is exactly one.
    private mutating func checkCopied(
        at place: UInt64, _ cluster: UInt64, _ structure: String, _ report: (Finding) -> Void
    ) throws(StorageError) {
        let isCopied = try tables.pages.entry(at: place) & QCOW2Entry.copiedFlag != 0
        let count = try tables.refcount(of: cluster)
        guard isCopied != (count == 1) else { return }
        damage(
            .copiedFlag,
            "an entry says that a cluster is \(isCopied ? "" : "not ")this disk's alone, and its refcount is "
                + "\(count)", structure, place, report)
    }

    /// Each snapshot has an L1 table. Layout: qemu docs/interop/qcow2.txt, "Snapshots".
    private mutating func addSnapshots(_ report: (Finding) -> Void) throws(StorageError) {
        var position = header.snapshotOffset
        for _ in 0..<header.snapshotCount {
            let bytes = try file.availableBytes(at: position, count: 40)
            guard bytes.count == 40 else {
                return damage(
                    .snapshotTable, "the snapshot table does not lie in the file", "snapshot table", position,
                    report)
            }
            let count = UInt64(bytes.big(8, as: UInt32.self))
            if count * 8 <= QCOW2Header.l1ByteLimit {
                try addL1(at: bytes.big(0), count: count, report)
            } else {
                damage(
                    .l1TooLarge, "a snapshot's L1 table has \(count) entries", "snapshot table", position,
                    report)
            }
            let names =
                UInt64(bytes.big(12, as: UInt16.self)) + UInt64(bytes.big(14, as: UInt16.self))
                + UInt64(bytes.big(36, as: UInt32.self))
            guard let next = (position + 40 +? names)?.roundedUp(to: 8) else { return }
            position = next
        }
        guard header.snapshotCount > 0, header.snapshotOffset < file.byteCount else { return }
        let end = min(position, file.byteCount)
        try references.add(
            header.snapshotOffset >> bits..<end.dividedRoundingUp(by: header.clusterSize), isMetadata: true)
    }

    private mutating func walkL2(_ report: (Finding) -> Void) throws(StorageError) {
        for (table, count) in l2Tables.sorted(by: { $0.key < $1.key }) {
            try references.add(table >> bits..<table >> bits + 1, count: count, isMetadata: count == 1)
            // A hole names nothing.
            let run = try file.nextDataOrHole(at: table)
            if !run.isData, run.end >= min(table + header.clusterSize, file.byteCount) { continue }
            for base in stride(from: table, to: table + header.clusterSize, by: tables.pages.pageSize) {
                let page = try tables.pages.page(at: base)
                let span = page.span8
                if span.isAllZero { continue }
                for index in stride(from: 0, to: page.count, by: 8) {
                    let raw: UInt64 = span.big(index)
                    guard raw != 0 else { continue }
                    try addEntry(
                        raw, at: base + UInt64(index), count: count, isActive: activeTables.contains(table),
                        report)
                }
            }
        }
    }

    private mutating func addEntry(
        _ raw: UInt64, at place: UInt64, count: UInt64, isActive: Bool, _ report: (Finding) -> Void
    ) throws(StorageError) {
        let entry: QCOW2Entry
        do throws(StorageError) {
            entry = try QCOW2Entry(raw, header: header, at: place)
        } catch {
            return tell(Finding(error), report)
        }
        switch entry {
        case .unallocated, .zero(nil): return
        case .plain(let host, _), .zero(let host?):
            guard host < file.byteCount else {
                return damage(
                    .clusterBeyondEnd, "a cluster lies at \(host.hex), past the file's end", "L2 table",
                    place,
                    report)
            }
            try references.add(host >> bits..<host >> bits + 1, count: count)
            if isActive { try checkCopied(at: place, host >> bits, "L2 table", report) }
        case .compressed(let bytes):
            guard bytes.lowerBound < file.byteCount else {
                return damage(
                    .clusterBeyondEnd, "a compressed cluster lies past the file's end", "L2 table", place,
                    report)
            }
            let end = min(bytes.upperBound, fileClusters << bits)
            try references.add(
                bytes.lowerBound
                    >> bits..<max(end.dividedRoundingUp(by: header.clusterSize), bytes.lowerBound >> bits + 1),
                count: count)
        }
    }
}
