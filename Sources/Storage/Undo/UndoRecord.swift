/// `IMAGE.undo`: what host-file bytes and lengths were before each change, so that a change can be taken back,
/// whether it finished or not.
///
/// The file is a stack of segments, one for each transaction, the newest last. A segment is one header sector of 512
/// bytes and then chunks (see `UndoChunk`); it begins at a multiple of 512, so that its header is one sector, which is
/// written whole or not. All integers are little-endian:
///
///     0   8  "DGUNDO2\n"
///     8   4  state: 0 hot, 1 done, 2 rolled back, 3 being undone, 4 prepared (written alone, in one sector)
///     12  4  CRC-32C of bytes 16 to 511
///     16  16 transaction id, the same in the records of all host files of one transaction
///     32  8  the host file's length before
///     40  8  when the transaction began, in nanoseconds since 1970
///     48  8  bytes of the segment, once it is done; 0 before
///
/// A hot segment says that its change may be half done. Rolling back writes every "before" and the old length.
/// With several host files all records are durable as prepared before the first is marked hot, all files are flushed
/// before the first is marked done, and all are marked as being undone before the first byte goes back. So the records
/// that a cut leaves tell which way each file has to go.
public struct UndoRecord: Sendable {
    /// The state of the newest segment.
    public enum State: UInt32, Sendable {
        /// Its change may be half done.
        case hot = 0
        /// Its change is complete.
        case done = 1
        /// Its change was taken back after it had been cut off.
        case rolledBack = 2
        /// Its change is being taken back.
        case undoing = 3
        /// Its change has not begun.
        case prepared = 4
    }

    static let magic = Array("DGUNDO2\n".utf8)
    static let headerSize = 512

    /// The path of the record of a host file: beside the file itself, whatever link it was reached by.
    public static func path(for file: String) -> String { (HostDirectory.resolved(file) ?? file) + ".undo" }

    let path: String
    let segmentStart: UInt64
    /// Where another segment would begin.
    let segmentEnd: UInt64
    let transactionID: [UInt8]
    /// The newest segment's state.
    public let state: State
    let lengthBefore: UInt64
    /// When the change began, in nanoseconds since 1970.
    let time: UInt64
    /// Absolute paths of the other host files that the same transaction changed.
    public let siblings: [String]
    let chunks: [UndoChunk]

    // MARK: Reading

    /// The newest segment of the record beside `file`, or nil when there is none. A segment that was cut off
    /// before its first chunk was written does not count: its change had not begun. What the chunks hold is read
    /// when it is needed.
    public static func read(for file: String) throws(StorageError) -> UndoRecord? {
        let path = path(for: file)
        guard HostDirectory.exists(path) else { return nil }
        return try newest(in: try HostFile.open(path, locking: .ignore, followLinks: false))
    }

    /// A transaction's segment in the record beside `file`, wherever it is in the stack.
    static func read(for file: String, transactionID: [UInt8]) throws(StorageError) -> UndoRecord? {
        let path = path(for: file)
        guard HostDirectory.exists(path) else { return nil }
        return try newest(in: HostFile.open(path, locking: .ignore, followLinks: false), transactionID)
    }

    /// The newest segment of an open record, or the one of a transaction; nil when there is none.
    static func newest(
        in log: HostFile, _ transactionID: [UInt8]? = nil
    ) throws(StorageError) -> UndoRecord? {
        var start: UInt64 = 0
        var newest: UndoRecord?
        var skipped: (start: UInt64, header: [UInt8])?
        while let header = try header(in: log, at: start) {
            // Of a finished change that others lie on nothing more is read.
            let length: UInt64 = header.little(48)
            let isWanted = transactionID.map { $0[...] == header[16..<32] } ?? false
            if !isWanted, length >= UInt64(headerSize), let next = start +? length, next < log.byteCount {
                skipped = (start, header)
                start = next
                continue
            }
            guard let segment = try UndoRecord(log, at: start, header) else { break }
            skipped = nil
            if transactionID == nil || isWanted { newest = segment }
            start = segment.segmentEnd
        }
        // What lies on it was cut off before it counted.
        if let skipped, transactionID == nil {
            newest = try UndoRecord(log, at: skipped.start, skipped.header) ?? newest
        }
        if start == 0, log.byteCount >= UInt64(headerSize) {
            let head = try log.bytes(at: 0, count: headerSize)
            guard head.starts(with: magic) || head.allSatisfy({ $0 == 0 }) else {
                throw StorageError(
                    .corrupt, layer: "undo record", code: "not-a-record",
                    "is no undo record of this version; move it away to go on", offset: 0, path: log.path)
            }
        }
        return newest
    }

    /// The header sector at `start`, or nil when there is none.
    private static func header(in log: HostFile, at start: UInt64) throws(StorageError) -> [UInt8]? {
        guard log.byteCount - min(start, log.byteCount) >= UInt64(headerSize) else { return nil }
        let header = try log.bytes(at: start, count: headerSize)
        guard header.span8.matches(magic) else { return nil }
        // A header is one sector, which no cut tears.
        guard header.little(12, as: UInt32.self) == CRC32C.checksum(header.span8.extracting(16..<headerSize)),
            State(rawValue: header.little(8)) != nil
        else { throw damaged(log.path, at: start) }
        return header
    }

    /// The segment at `start`, or nil when it has no chunk or no known state.
    private init?(_ log: HostFile, at start: UInt64, _ header: [UInt8]) throws(StorageError) {
        guard let state = State(rawValue: header.little(8)) else { return nil }
        let id = Array(header[16..<32])
        var chunks: [UndoChunk] = []
        var siblings: [String] = []
        var position = start + UInt64(Self.headerSize)
        while let chunk = try UndoChunk(
            log, at: position, transactionID: id, number: UInt32(clamping: chunks.count))
        {
            if chunk.kind == .siblings {
                // A path has 4096 bytes at most, and a guest a few disks.
                guard chunk.byteCount <= 1 << 20, try chunk.isWhole(in: log) else { break }
                siblings += try log.bytes(at: chunk.body, count: Int(chunk.byteCount))
                    .split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            }
            chunks.append(chunk)
            position = chunk.end
        }
        guard !chunks.isEmpty else { return nil }
        path = log.path
        segmentStart = start
        segmentEnd = position.roundedUp(to: UInt64(Self.headerSize)) ?? position
        transactionID = id
        self.state = state
        lengthBefore = header.little(32)
        time = header.little(40)
        self.siblings = siblings
        self.chunks = chunks
    }

    /// A header sector.
    static func header(
        transactionID: [UInt8], lengthBefore: UInt64, time: UInt64, state: State, segmentLength: UInt64 = 0
    ) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: headerSize)
        header.replaceSubrange(0..<8, with: magic)
        header.storeLittle(state.rawValue, at: 8)
        header.replaceSubrange(16..<32, with: transactionID)
        header.storeLittle(lengthBefore, at: 32)
        header.storeLittle(time, at: 40)
        header.storeLittle(segmentLength, at: 48)
        header.storeLittle(CRC32C.checksum(header.span8.extracting(16..<headerSize)), at: 12)
        return header
    }

    static func setState(_ state: State, in log: HostFile, at start: UInt64) throws(StorageError) {
        var bytes = [UInt8](repeating: 0, count: 4)
        bytes.storeLittle(state.rawValue, at: 0)
        try log.write(bytes, at: start + 8)
        try log.flush()
    }

    // MARK: What the chunks hold

    /// The chunks whose change may have begun: all, but a last batch that was cut off. Other damage is an error.
    func wholeChunks(in log: HostFile) throws(StorageError) -> [UndoChunk] {
        for chunk in chunks where try !chunk.isWhole(in: log) {
            guard state == .hot, chunk.batch == chunks.last?.batch else { throw damaged(chunk) }
            return chunks.filter { $0.batch != chunk.batch }
        }
        return chunks
    }

    /// What was there before, in one range.
    struct SavedRange: Sendable {
        var range: Range<UInt64>
        /// Where its bytes are in the record; nil stands for zeros.
        var position: UInt64?
    }

    /// What the change left, in one range.
    struct ChangedRange: Sendable {
        var range: Range<UInt64>
        var sum: UndoSum
    }

    /// The ranges that a chunk saved; none when it is of another kind.
    func savedRanges(of chunk: UndoChunk, in log: HostFile) throws(StorageError) -> [SavedRange] {
        guard chunk.kind == .before else { return [] }
        let table = try table(of: chunk, entrySize: UndoChunk.beforeEntrySize, in: log)
        var result: [SavedRange] = []
        var position = chunk.body
        let end = chunk.end - UInt64(table.count)
        for entry in stride(from: 0, to: table.count, by: UndoChunk.beforeEntrySize) {
            let word: UInt64 = table.little(entry + 8)
            let isZero = word & UndoChunk.isZero != 0
            let length = word & ~UndoChunk.isZero
            guard let range = range(table.little(entry), length, below: lengthBefore),
                isZero || length <= end - position
            else { throw damaged(chunk) }
            result.append(SavedRange(range: range, position: isZero ? nil : position))
            if !isZero { position += length }
        }
        return result
    }

    /// The ranges that a chunk has the new checksums of; none when it is of another kind.
    func changedRanges(of chunk: UndoChunk, in log: HostFile) throws(StorageError) -> [ChangedRange] {
        guard chunk.kind == .after else { return [] }
        let table = try table(of: chunk, entrySize: UndoChunk.afterEntrySize, in: log)
        var result: [ChangedRange] = []
        for entry in stride(from: 0, to: table.count, by: UndoChunk.afterEntrySize) {
            let length: UInt64 = table.little(entry + 8)
            guard length <= HostFile.pieceSize,
                let range = range(table.little(entry), length, below: chunk.lengthAfter)
            else { throw damaged(chunk) }
            let sum = UndoSum(first: table.little(entry + 16), second: table.little(entry + 20))
            result.append(ChangedRange(range: range, sum: sum))
        }
        return result
    }

    private func table(
        of chunk: UndoChunk, entrySize: Int, in log: HostFile
    ) throws(StorageError) -> [UInt8] {
        guard let table = try chunk.table(entrySize: entrySize, in: log) else { throw damaged(chunk) }
        return table
    }

    private func range(_ offset: UInt64, _ length: UInt64, below limit: UInt64) -> Range<UInt64>? {
        guard let end = offset +? length, end <= limit else { return nil }
        return offset..<end
    }

    func damaged(_ chunk: UndoChunk?) -> StorageError {
        Self.damaged(path, at: chunk?.position ?? segmentStart)
    }

    private static func damaged(_ path: String, at offset: UInt64) -> StorageError {
        StorageError(
            .corrupt, layer: "undo record", code: "damaged",
            "is damaged, so the change cannot be taken back; restore the image from a copy, or move the record away",
            offset: offset, path: path)
    }
}

/// Two independent 32-bit checksums of the bytes of a range: what a post-image is compared by.
struct UndoSum: Equatable, Sendable {
    var first: UInt32
    var second: UInt32

    init(first: UInt32, second: UInt32) {
        self.first = first
        self.second = second
    }

    init(_ bytes: RawSpan) {
        first = CRC32C.checksum(bytes)
        second = CRC32.checksum(bytes)
    }
}
