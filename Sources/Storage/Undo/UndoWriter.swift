/// The segment of one host file while its transaction goes on. Nothing of the file may be changed before what was
/// there has been saved and synced.
struct UndoWriter {
    /// Ranges are saved and compared in whole pages.
    static let pageSize: UInt64 = 4096

    private let file: HostFile
    private let log: HostFile
    private let segmentStart: UInt64
    private let transactionID: [UInt8]
    private let lengthBefore: UInt64
    private let time: UInt64
    private var end: UInt64
    private var chunkCount: UInt32 = 0
    private var batch: UInt32 = 0
    /// Pages that are saved, or lie behind the old end.
    private var saved = RangeSet<UInt64>()
    private var siblings: Set<String> = []
    /// The record's name may not be durable yet: whoever made it may have been killed before.
    private var needsDirectorySync = true

    /// Begins a segment in the record beside `file`, which is created when there is none.
    init(
        besides file: HostFile, transactionID: [UInt8], time: UInt64, state: UndoRecord.State
    ) throws(StorageError) {
        self.file = file
        self.transactionID = transactionID
        self.time = time
        lengthBefore = file.diskByteCount
        let path = UndoRecord.path(for: file.path)
        if !HostDirectory.exists(path) {
            log = try HostFile.create(path, mode: 0o600)
            segmentStart = 0
        } else {
            log = try HostFile.open(path, access: .write, locking: .ignore, followLinks: false)
            let newest = try UndoRecord.newest(in: log)
            guard newest?.state != .hot, newest?.state != .undoing else {
                throw StorageError(
                    .refused, layer: "undo record", code: "hot",
                    "an earlier change was cut off; run `diskgraft undo` to take it back first",
                    path: file.path)
            }
            segmentStart = newest?.segmentEnd ?? 0
        }
        end = segmentStart + UInt64(UndoRecord.headerSize)
        do throws(StorageError) {
            try log.truncate(to: segmentStart)
            try log.write(
                UndoRecord.header(
                    transactionID: transactionID, lengthBefore: lengthBefore, time: time, state: state),
                at: segmentStart)
        } catch {
            discard()
            throw error
        }
    }

    /// Takes note of the other host files of the transaction.
    mutating func addSiblings(_ paths: [String]) throws(StorageError) {
        let new = paths.filter { siblings.insert($0).inserted }
        // A segment needs one chunk to count.
        guard !new.isEmpty || chunkCount == 0 else { return }
        try append(.siblings, table: new.flatMap { Array($0.utf8) + [0] }, rangeCount: 0)
    }

    /// Saves what the file holds in the pages of `ranges`, as far as it is not saved yet.
    mutating func save(_ ranges: [Range<UInt64>]) throws(StorageError) {
        var pages = RangeSet<UInt64>()
        for range in ranges {
            let last = (range.upperBound - 1) / Self.pageSize
            guard let upper = (last + 1) *? Self.pageSize else { continue }
            pages.insert(contentsOf: range.lowerBound / Self.pageSize * Self.pageSize..<upper)
        }
        pages.subtract(saved)
        var chunk = ChunkInProgress(at: end)
        for range in pages.ranges where range.lowerBound < lengthBefore {
            // Bytes past the old end have no "before": the old length takes them back.
            try save(range.lowerBound..<min(range.upperBound, lengthBefore), in: &chunk)
        }
        try finish(&chunk, .before)
        saved.formUnion(pages)
    }

    private mutating func save(
        _ range: Range<UInt64>, in chunk: inout ChunkInProgress
    ) throws(StorageError) {
        try file.forEachPiece(of: range, onDisk: true) { (offset, bytes) throws(StorageError) in
            if chunk.rangeCount >= UndoChunk.rangeLimit { try finish(&chunk, .before) }
            let isZero = bytes.isAllZero
            chunk.addRange(offset, UInt64(bytes.byteCount), isZero: isZero)
            if !isZero {
                try log.write(bytes, at: chunk.bytesEnd)
                chunk.add(bytes)
            }
        }
    }

    /// Takes note of what the change leaves in every page that it touched: `file` shows it, written or not.
    mutating func seal(lengthAfter: UInt64) throws(StorageError) {
        var chunk = ChunkInProgress(at: end)
        for range in saved.ranges where range.lowerBound < lengthAfter {
            try file.forEachPiece(of: range.lowerBound..<min(range.upperBound, lengthAfter)) {
                (offset, bytes) throws(StorageError) in
                if chunk.rangeCount >= UndoChunk.rangeLimit {
                    try finish(&chunk, .after, lengthAfter: lengthAfter)
                }
                chunk.addRange(offset, UInt64(bytes.byteCount), sum: UndoSum(bytes))
            }
        }
        try finish(&chunk, .after, lengthAfter: lengthAfter, evenIfEmpty: true)
    }

    /// Makes everything so far durable, the record's name too.
    mutating func sync() throws(StorageError) {
        try log.flush()
        if needsDirectorySync { try HostDirectory.sync(holding: log.path) }
        needsDirectorySync = false
        batch += 1
    }

    func mark(_ state: UndoRecord.State) throws(StorageError) {
        try UndoRecord.setState(state, in: log, at: segmentStart)
    }

    /// Marks the change as complete, and says how long its segment is: in one sector.
    func markDone() throws(StorageError) {
        let header = UndoRecord.header(
            transactionID: transactionID, lengthBefore: lengthBefore, time: time, state: .done,
            segmentLength: (end - segmentStart).roundedUp(to: UInt64(UndoRecord.headerSize)) ?? 0)
        try log.write(header, at: segmentStart)
        try log.flush()
    }

    /// Takes the segment away; nothing of the file may be changed.
    func discard() {
        // A durable one could come back after a cut, and must not say that it is hot then.
        if batch > 0 { try? mark(.rolledBack) }
        try? log.truncate(to: segmentStart)
        if segmentStart == 0 { try? HostDirectory.remove(log.path) }
    }

    // MARK: Chunks

    private mutating func finish(
        _ chunk: inout ChunkInProgress, _ kind: UndoChunk.Kind, lengthAfter: UInt64 = 0,
        evenIfEmpty: Bool = false
    ) throws(StorageError) {
        guard chunk.rangeCount > 0 || evenIfEmpty else { return }
        try append(
            kind, bytes: chunk.byteCount, register: chunk.register, table: chunk.table,
            rangeCount: chunk.rangeCount, lengthAfter: lengthAfter)
        chunk = ChunkInProgress(at: end)
    }

    /// Ends a chunk whose first `bytes` bytes are in the record already.
    private mutating func append(
        _ kind: UndoChunk.Kind, bytes: UInt64 = 0, register: UInt32 = 0xffff_ffff, table: [UInt8],
        rangeCount: Int, lengthAfter: UInt64 = 0
    ) throws(StorageError) {
        let sum = ~CRC32C.update(register, table.span8)
        var chunk = UndoChunk(
            kind, number: chunkCount, batch: batch, rangeCount: rangeCount,
            byteCount: bytes + UInt64(table.count), checksum: sum, at: end)
        chunk.lengthAfter = lengthAfter
        try log.write(table, at: chunk.body + bytes)
        try log.write(chunk.header(transactionID: transactionID), at: chunk.position)
        chunkCount += 1
        end = chunk.end
    }
}

/// A chunk whose bytes go to the record one by one; its table and header follow.
private struct ChunkInProgress {
    let position: UInt64
    private(set) var byteCount: UInt64 = 0
    private(set) var register: UInt32 = 0xffff_ffff
    private(set) var table: [UInt8] = []
    private(set) var rangeCount = 0

    init(at position: UInt64) { self.position = position }

    var bytesEnd: UInt64 { position + UInt64(UndoChunk.headerSize) + byteCount }

    mutating func add(_ bytes: RawSpan) {
        byteCount += UInt64(bytes.byteCount)
        register = CRC32C.update(register, bytes)
    }

    mutating func addRange(_ offset: UInt64, _ length: UInt64, isZero: Bool) {
        add(offset)
        add(isZero ? length | UndoChunk.isZero : length)
        rangeCount += 1
    }

    mutating func addRange(_ offset: UInt64, _ length: UInt64, sum: UndoSum) {
        add(offset)
        add(length)
        add(UInt64(sum.first) | UInt64(sum.second) << 32)
        rangeCount += 1
    }

    private mutating func add(_ value: UInt64) {
        let start = table.count
        table += [0, 0, 0, 0, 0, 0, 0, 0]
        table.storeLittle(value, at: start)
    }
}
