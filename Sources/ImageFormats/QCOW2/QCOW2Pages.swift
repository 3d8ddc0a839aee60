internal import Storage

/// When a changed piece of a table may go to the disk. See `QCOW2Tables.commit()`.
enum QCOW2Phase: Int, CaseIterable, Sendable {
    /// Nothing refers to it yet (new tables), or it only claims space (refcounts that grow).
    case groundwork
    /// Entries of the refcount table.
    case refcountTable
    /// Entries of L1 and L2 tables, which make guest data visible.
    case mapping
}

/// Tables of the image in pieces of fixed size: unchanged ones under a fixed budget, changed ones until they are
/// written. A piece never reaches over a cluster's end, so it belongs to one table and never holds guest data.
struct QCOW2Pages: Sendable {
    /// A changed piece.
    struct Dirty: Sendable {
        var bytes: [UInt8]
        var phase: QCOW2Phase
        /// Which of its bytes have changed.
        var changed: Range<Int>

        mutating func change(_ range: Range<Int>, _ body: (inout MutableRawSpan) -> Void) {
            bytes.withMutableBytes { body(&$0) }
            changed =
                min(changed.lowerBound, range.lowerBound)..<max(changed.upperBound, range.upperBound)
        }
    }

    let file: any ByteFile
    let pageSize: Int
    private let pageMask: UInt64
    private var clean = BoundedCache<UInt64, [UInt8]>(budget: QCOW2Pages.cleanBudget)
    private(set) var dirty: [UInt64: Dirty] = [:]

    /// The budget of unchanged pieces in bytes.
    private static let cleanBudget = 8 << 20

    init(file: any ByteFile, clusterSize: UInt64) {
        self.file = file
        pageSize = Int(min(clusterSize, 32 << 10))
        pageMask = UInt64(pageSize) - 1
    }

    /// Bytes held in changed pieces.
    var dirtyByteCount: Int { dirty.count * pageSize }

    /// Where the piece that holds file byte `offset` begins, and the byte's place in it.
    func place(of offset: UInt64) -> (base: UInt64, index: Int) {
        (offset & ~pageMask, Int(offset & pageMask))
    }

    /// The piece that begins at file byte `base`; what the file does not have reads as zeros.
    mutating func page(at base: UInt64) throws(StorageError) -> [UInt8] {
        if let page = dirty[base] { return page.bytes }
        if let page = clean.value(for: base) { return page }
        var page = try file.availableBytes(at: base, count: pageSize)
        if page.count < pageSize { page += [UInt8](repeating: 0, count: pageSize - page.count) }
        clean.keep(page, for: base, cost: pageSize)
        return page
    }

    /// The 64-bit entry at file byte `offset`, a multiple of 8.
    mutating func entry(at offset: UInt64) throws(StorageError) -> UInt64 {
        let (base, index) = place(of: offset)
        return try page(at: base).big(index)
    }

    /// The first entry with a bit of `mask` among those numbered `start` to `end` of the table at file byte
    /// `table`; nil when there is none.
    mutating func firstEntry(
        _ mask: UInt64, at table: UInt64, from start: UInt64, to end: UInt64
    ) throws(StorageError) -> UInt64? {
        var number = start
        while number < end {
            let (base, index) = place(of: table + number * 8)
            let page = try page(at: base)
            let count = min((pageSize - index) / 8, Int(clamping: end - number))
            let span = page.span8
            for entry in 0..<count where span.big(index + entry * 8, as: UInt64.self) & mask != 0 {
                return number + UInt64(entry)
            }
            number += UInt64(count)
        }
        return nil
    }

    /// Changes bytes `range` of the piece at `base` by `body`.
    mutating func change(
        _ base: UInt64, _ range: Range<Int>, phase: QCOW2Phase, _ body: (inout MutableRawSpan) -> Void
    ) throws(StorageError) {
        if dirty[base] == nil {
            dirty[base] = Dirty(bytes: try page(at: base), phase: phase, changed: range)
            clean.remove(base)
        }
        // In place: the default is never made.
        dirty[base, default: Dirty(bytes: [], phase: phase, changed: range)].change(range, body)
    }

    /// Stores one entry at file byte `offset`.
    mutating func store(_ value: UInt64, at offset: UInt64, phase: QCOW2Phase) throws(StorageError) {
        let (base, index) = place(of: offset)
        try change(base, index..<index + 8, phase: phase) { $0.storeBig(value, at: index) }
    }

    /// Puts a new table's piece at `base`, to be written whole before anything refers to it.
    mutating func add(_ bytes: [UInt8], at base: UInt64) {
        clean.remove(base)
        dirty[base] = Dirty(bytes: bytes, phase: .groundwork, changed: 0..<pageSize)
    }

    /// Forgets what was changed in a table that is given up.
    mutating func discard(_ range: Range<UInt64>) {
        for base in stride(from: range.lowerBound, to: range.upperBound, by: pageSize) { dirty[base] = nil }
    }

    /// Whether some changed piece waits for `phase`.
    func hasDirty(_ phase: QCOW2Phase) -> Bool { dirty.values.contains { $0.phase == phase } }

    /// Writes the changed pieces of one phase, neighbours together. They stay changed until `settle`.
    func write(_ phase: QCOW2Phase) throws(StorageError) {
        let bases = dirty.filter { $0.value.phase == phase }.keys.sorted()
        var run: [UInt8] = []
        var runStart: UInt64 = 0
        for base in bases {
            guard let page = dirty[base] else { continue }
            let start = base + UInt64(page.changed.lowerBound)
            if !run.isEmpty, runStart + UInt64(run.count) != start || run.count >= Self.writeSize {
                try file.write(run, at: runStart)
                run.removeAll(keepingCapacity: true)
            }
            if run.isEmpty { runStart = start }
            run += page.bytes[page.changed]
        }
        if !run.isEmpty { try file.write(run, at: runStart) }
    }

    private static let writeSize = 1 << 20

    /// Everything written is on the disk: changed pieces become unchanged ones.
    mutating func settle() {
        for (base, page) in dirty {
            clean.keep(page.bytes, for: base, cost: pageSize)
        }
        dirty.removeAll(keepingCapacity: true)
    }
}
