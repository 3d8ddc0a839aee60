internal import HostIO
public import Storage

/// `IMAGE.undo`: what host-file bytes and lengths were before each change, so that a change can be taken back,
/// whether it finished or not; and what the change gave them on the way, so that nothing else is overwritten by that.
///
/// The file is a stack of segments, one for each transaction, the newest last: a head (`UndoHeader`), then chunks
/// (`UndoChunk`), each at a multiple of 512 bytes and all under checksums. Chunks are added in batches, each durable
/// before the head counts it, and the head durable before the host file's first byte that the batch guards changes. So what
/// a head counts is there as it was written, or the record is damaged; what lies behind that had not begun to count.
///
/// A hot segment says that its change may be half done. With several host files all records are durable as prepared
/// before the first is marked hot, all files are flushed before the first is marked done, and all are marked as being
/// undone before the first byte goes back. So the records that a cut leaves tell which way each file has to go.
public struct UndoRecord: Sendable {
    /// The state of a segment.
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

    /// What contents are known and compared by: no disk writes less at once.
    static let sectorSize: UInt64 = 512
    /// The most that is compared or put back at once.
    static let pieceSize: UInt64 = 256 << 10

    /// The record's own path.
    public let path: String
    let segmentStart: UInt64
    let header: UndoHeader

    /// The segment's state.
    public var state: State { header.state }
    /// Whether its change, or the undoing of it, may be half done.
    public var isCutOff: Bool { state == .hot || state == .undoing }
    /// Where another segment would begin.
    var segmentEnd: UInt64 { segmentStart + header.segmentLength }
    var transactionID: [UInt8] { header.transactionID }

    // MARK: Finding segments

    /// The newest segment of an open record, or the one of a transaction; nil when there is none. A segment that was
    /// cut off before it was durable does not count. Throws where something is damaged that decides what is newest, and
    /// for files that are no record.
    static func newest(
        in log: any ByteFile, _ transactionID: [UInt8]? = nil
    ) throws(StorageError) -> UndoRecord? {
        var start: UInt64 = 0
        var newest: UndoRecord?
        var last: State?
        while start < log.byteCount, let header = try header(in: log, at: start, after: last) {
            let record = UndoRecord(path: log.path, segmentStart: start, header: header)
            guard header.segmentLength >= UInt64(UndoHeader.size),
                let end = start +? header.segmentLength, end <= log.byteCount
            else {
                // One that is prepared and not whole was never durable.
                if header.state == .prepared { break }
                throw damaged(log.path, at: start)
            }
            if header.state == .prepared, try !record.isWhole(in: log) { break }
            if transactionID == nil || transactionID == header.transactionID { newest = record }
            // What follows a hot one is a batch that does not count.
            if header.state == .hot { break }
            start = end
            last = header.state
        }
        return newest
    }

    /// The head at `start`, or nil when none was written there.
    private static func header(
        in log: any ByteFile, at start: UInt64, after last: State?
    ) throws(StorageError) -> UndoHeader? {
        switch try UndoHeader.find(in: log, at: start) {
        case .header(let header): return header
        case .nothing:
            // Nothing is added to a record before its first head is durable.
            if start == 0, log.byteCount > UInt64(UndoHeader.size) { throw foreign(log.path) }
            return nil
        case .otherVersion where start == 0:
            throw StorageError(
                .unsupported, UndoCode.otherVersion,
                "was written by another version of diskgraft: use that to undo, or throw the record away "
                    + "with `diskgraft undo --discard`", path: log.path, remedies: [.discardUndo])
        case .foreign where start == 0: throw foreign(log.path)
        // Chunks that were to follow a head whose new count a cut kept off the disk.
        case .foreign where last == .prepared: return nil
        case .damaged, .otherVersion, .foreign: throw damaged(log.path, at: start)
        }
    }

    // MARK: Chunks

    /// Calls `body` with each chunk that counts, once its checksums were found right. Throws "damaged" at the first
    /// that is not as it was written.
    func forEachChunk(
        in log: any ByteFile, _ body: (UndoChunk) throws(StorageError) -> Void
    ) throws(StorageError) {
        var position = segmentStart + UInt64(UndoHeader.size)
        for number in 0..<header.chunkCount {
            guard
                let chunk = try UndoChunk(
                    log, at: position, limit: segmentEnd, transactionID: transactionID, number: number)
            else { throw damaged(at: position) }
            try body(chunk)
            position = chunk.end
        }
        guard position == segmentEnd else { throw damaged(at: position) }
    }

    private func isWhole(in log: any ByteFile) throws(StorageError) -> Bool {
        do throws(StorageError) {
            try forEachChunk(in: log) { (_) in }
            return true
        } catch {
            guard error.isCode(UndoCode.damaged) else { throw error }
            return false
        }
    }

    /// Absolute paths of the other host files that the transaction changes.
    func siblings(in log: any ByteFile) throws(StorageError) -> [String] {
        var paths: [String] = []
        try forEachChunk(in: log) { (chunk) in if chunk.kind == .siblings { paths += chunk.paths } }
        return paths
    }

    // MARK: Writing

    /// The record's file, to be changed.
    func openLog() throws(StorageError) -> HostFile {
        try HostFile.open(path, access: .write, locking: .ignore, followLinks: false)
    }

    /// Writes the head with another state, durably.
    func mark(_ state: State, in log: any ByteFile) throws(StorageError) {
        var header = header
        header.state = state
        // Another segment may follow: what never counted must not lie in its place.
        if state == .rolledBack, log.byteCount > segmentEnd {
            try log.truncate(to: segmentEnd)
            try log.flush()
        }
        try log.write(header.bytes, at: segmentStart)
        try log.flush()
    }

    /// Takes the segment out of the record, and the record away with its last.
    func remove() throws(StorageError) {
        let log = try openLog()
        try log.truncate(to: segmentStart)
        try log.flush()
        if segmentStart == 0 {
            try HostDirectory.remove(path)
            try HostDirectory.sync(holding: path)
        }
    }

    /// Gives the newest segment of a record another state, as a cut at the right time would have left it.
    @_spi(Testing)
    public static func setState(_ state: State, ofRecord path: String) throws(StorageError) {
        let log = try HostFile.open(path, access: .write, locking: .ignore)
        try newest(in: log)?.mark(state, in: log)
    }

    // MARK: Errors

    func damaged(at offset: UInt64) -> StorageError { Self.damaged(path, at: offset) }

    private static func damaged(_ path: String, at offset: UInt64) -> StorageError {
        StorageError(
            .corrupt, UndoCode.damaged,
            "is damaged, so the change cannot be taken back; restore the image from a copy, or throw the record away "
                + "with `diskgraft undo --discard` and leave the image as it is",
            offset: offset, path: path, remedies: [.discardUndo])
    }

    private static func foreign(_ path: String) -> StorageError {
        StorageError(
            .corrupt, UndoCode.notARecord,
            "is no undo record, and has the name of one; move it away to go on", offset: 0, path: path)
    }
}
