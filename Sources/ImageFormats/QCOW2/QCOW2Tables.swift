internal import Storage

/// The tables of one image, behind the map's lock.
struct QCOW2Tables: Sendable {
    let file: any ByteFile
    var header: QCOW2Header
    var pages: QCOW2Pages
    /// What a writing session knows; nil while the image is only read.
    var session: QCOW2Session?
    /// The last extent found: small reads that follow each other need no scan.
    private var lastExtent: Extent?
    /// Whether a file that ends within a cluster has lost the rest of it; else its writer did not pad.
    private let isSalvage: Bool

    init(file: any ByteFile, header: QCOW2Header, isSalvage: Bool = false) {
        self.file = file
        self.isSalvage = isSalvage
        self.header = header
        pages = QCOW2Pages(file: file, clusterSize: header.clusterSize)
    }

    /// How many entries one call looks at. An extent may end early; the next call goes on.
    static let scanLimit = 4096

    /// Where clusters may lie: to the file's end, or to that of the space chosen and not written yet.
    var clustersEnd: UInt64 { max(file.byteCount, session?.allocationEnd ?? 0) }

    mutating func forgetExtent() { lastExtent = nil }

    /// The run of one kind at guest byte `offset`.
    mutating func extent(at offset: UInt64) throws(StorageError) -> Extent {
        if let known = lastExtent?.clamped(to: offset..<header.virtualSize),
            known.range.lowerBound == offset
        {
            return known
        }
        var run = QCOW2Run(
            first: QCOW2GuestCluster(offset >> UInt64(header.clusterBits)), header: header)
        try scan(&run, limit: Self.scanLimit)
        let end = isSalvage ? clustersEnd.roundedUp(to: header.clusterSize) ?? clustersEnd : clustersEnd
        let extent = try run.extent(at: offset, fileEnd: end)
        lastExtent = extent
        return extent
    }

    /// Entries of the L1 table, to salvage an image those that the file has: what is behind its end is lost, not empty.
    private var l1End: UInt64 {
        guard isSalvage else { return UInt64(header.l1Count) }
        return min(UInt64(header.l1Count), (file.byteCount - min(file.byteCount, header.l1Offset)) / 8)
    }

    /// Feeds entries to `run` from its first cluster on, until one does not belong to it.
    mutating func scan(_ run: inout QCOW2Run, limit: Int) throws(StorageError) {
        let l2Bits = UInt64(header.l2Bits)
        var cluster = run.first.rawValue
        var left = limit
        while left > 0, cluster < header.clusterCount {
            let slot = cluster & (1 << l2Bits - 1)
            let known: UInt64?
            do throws(StorageError) {
                known = try l2Table(of: cluster >> l2Bits)
            } catch {
                // What is wrong further on is told when it is asked for.
                guard run.count == 0, !error.isCancellation else { return }
                throw error
            }
            guard let table = known else {
                let first = cluster >> l2Bits
                let end = min(l1End, first + UInt64(left))
                let next = try pages.firstEntry(
                    QCOW2Entry.offsetMask, at: header.l1Offset, from: first + 1, to: end)
                let count = min((next ?? end) << l2Bits - cluster, header.clusterCount - cluster)
                guard run.appendUnallocated(count) else { return }
                cluster += count
                left -= Int(clamping: (next ?? end) - first)
                continue
            }
            let (base, index) = pages.place(of: table + slot * 8)
            guard let page = run.count == 0 ? try pages.page(at: base) : try? pages.page(at: base) else {
                return
            }
            let count = min((pages.pageSize - index) / 8, Int(clamping: header.clusterCount - cluster))
            guard try run.append(page, from: index, count: count, at: base) else { return }
            cluster += UInt64(count)
            left -= count
        }
    }

    /// Where the L2 table of L1 entry `index` lies; nil when there is none.
    mutating func l2Table(of index: UInt64) throws(StorageError) -> UInt64? {
        let place = header.l1Offset + index * 8
        guard index < l1End else {
            throw .qcow2(
                .l1Offset, "the file ends within the L1 table, before entry \(index); it is truncated",
                structure: "L1 table", offset: place)
        }
        let table = try pages.entry(at: place) & QCOW2Entry.offsetMask
        guard table != 0 else { return nil }
        guard table % header.clusterSize == 0, table <= clustersEnd,
            clustersEnd - table >= header.clusterSize
        else {
            throw .qcow2(
                .l2TableOffset,
                "the L2 table's offset \(table.hex) is not that of a cluster in the file; it may be truncated",
                structure: "L1 table", offset: place)
        }
        return table
    }
}
