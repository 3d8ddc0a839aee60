internal import Glibc
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
        var newest: UndoRecord?
        try forEachSegment(in: log) { (record) in
            if transactionID == nil || transactionID == record.transactionID { newest = record }
        }
        return newest
    }

    static func forEachSegment(
        in log: any ByteFile, _ body: (UndoRecord) -> Void
    ) throws(StorageError) {
        var last: UndoRecord?
        while let record = try segment(in: log, behind: last) {
            body(record)
            // What follows a hot one is a batch that does not count.
            if record.state == .hot { return }
            last = record
        }
    }

    /// The first segment, or the one behind another; nil where none was ever hot.
    private static func segment(
        in log: any ByteFile, behind last: UndoRecord?
    ) throws(StorageError) -> UndoRecord? {
        let start = last?.segmentEnd ?? 0
        // A record has its name when its first head is durable: without one it is damaged.
        let mustBe = last.map(\.header.isFollowed) ?? true
        guard start < log.byteCount, let header = try header(in: log, at: start, after: last?.state) else {
            if mustBe { throw damaged(log.path, at: start) }
            return nil
        }
        let record = UndoRecord(path: log.path, segmentStart: start, header: header)
        let isInside =
            header.segmentLength >= UInt64(UndoHeader.size)
            && (start +? header.segmentLength).map { $0 <= log.byteCount } ?? false
        // One that is prepared and not whole was never durable, and what it says never began.
        if header.state == .prepared {
            var isWhole = false
            if isInside { isWhole = try record.isWhole(in: log) }
            guard isWhole else {
                if last?.header.isFollowed == true { throw damaged(log.path, at: start) }
                return nil
            }
        }
        guard isInside else { throw damaged(log.path, at: start) }
        return record
    }

    /// The head at `start`, or nil when none was written there.
    private static func header(
        in log: any ByteFile, at start: UInt64, after last: State?
    ) throws(StorageError) -> UndoHeader? {
        switch try UndoHeader.find(in: log, at: start) {
        case .header(let header): return header
        case .nothing:
            // Zeros may be anything: no more of them than a head has is lost with them.
            if start == 0, log.byteCount > UInt64(UndoHeader.size) { throw foreign(log.path) }
            return nil
        case .otherVersion where start == 0:
            throw StorageError(
                .unsupported, UndoCode.otherVersion,
                "was written by another version of this program, which can take the change back",
                path: log.path, remedies: [.discardUndo])
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

    /// The record's file, to be read.
    func readLog() throws(StorageError) -> HostFile {
        try HostFile.open(path, locking: .ignore, followLinks: false)
    }

    /// The record's file, to be changed.
    func openLog() throws(StorageError) -> HostFile {
        try HostFile.open(path, access: .write, locking: .ignore, followLinks: false)
    }

    /// Writes the head with another state, durably; with `other`, as what became of that file.
    func mark(
        _ state: State, in log: any ByteFile, of other: FileIncarnation? = nil
    ) throws(StorageError) {
        var header = header
        header.state = state
        if let other {
            header.identity = other
            header.isOfAnother = true
        }
        // Another segment may follow: what never counted must not lie in its place.
        if state == .rolledBack, log.byteCount > segmentEnd {
            try log.truncate(to: segmentEnd)
            try log.flush()
        }
        try log.write(header.bytes, at: segmentStart)
        try log.flush()
    }

    /// Takes the segment out of the record of `file`, and the record away with its last. `file` holds nothing any more
    /// that the segment would have to take back.
    func remove(from file: any ByteFile) throws(StorageError) {
        try UndoMark.clear(on: file, transactionID)
        // Nothing is left that it would lead to.
        if segmentStart == 0, let place = try UndoMark.place(of: file.path) {
            let isThere = try HostDirectory.isThere(place)
            if !isThere || HostDirectory.isSame(place, path) { try UndoMark.clearPlace(on: file) }
        }
        try Self.cut(try openLog(), at: segmentStart)
    }

    /// Ends a record at a segment's start; at the first it goes, or stays where nobody may remove it and its state says that it
    /// is nothing. A record whose only head is gone would be a damaged one. `isLost`: the changes behind that stay in the file.
    static func cut(
        _ log: any ByteFile, at segmentStart: UInt64, isLost: Bool = false
    ) throws(StorageError) {
        guard segmentStart > 0 else {
            do throws(StorageError) {
                try HostDirectory.remove(log.path)
            } catch {
                guard [EACCES, EPERM, EROFS].contains(error.errno),
                    let first = try newest(in: log), first.segmentStart == 0,
                    first.state == .rolledBack || first.state == .prepared
                else { throw error }
                return
            }
            return try HostDirectory.sync(holding: log.path)
        }
        try setFollowed(false, endingAt: segmentStart, isLost: isLost, in: log)
        try log.flush()
        try log.truncate(to: segmentStart)
        try log.flush()
    }

    /// Says in the segment that ends at `end` whether another has been hot behind it; not durable before a flush.
    static func setFollowed(
        _ isFollowed: Bool, endingAt end: UInt64, isLost: Bool = false, in log: any ByteFile
    ) throws(StorageError) {
        var found: UndoRecord?
        try forEachSegment(in: log) { (record) in if record.segmentEnd == end { found = record } }
        guard let found, found.header.isFollowed != isFollowed || isLost else { return }
        var header = found.header
        header.isFollowed = isFollowed
        header.hasLostLater = header.hasLostLater || isLost
        try log.write(header.bytes, at: found.segmentStart)
    }

    /// Gives the newest segment of a record another state, as a cut at the right time would have left it: the image of the
    /// record's name is marked with it.
    @_spi(Testing)
    public static func setState(_ state: State, ofRecord path: String) throws(StorageError) {
        let log = try HostFile.open(path, access: .write, locking: .ignore)
        guard let record = try newest(in: log) else { return }
        try record.mark(state, in: log)
        let image = String(path.dropLast(".undo".count))
        guard state == .hot || state == .undoing, HostDirectory.isRegularFile(image) else { return }
        try UndoMark(transactionID: record.transactionID, recordPath: path)
            .set(on: try HostFile.open(image, access: .write, locking: .ignore))
    }

    // MARK: Errors

    func damaged(at offset: UInt64) -> StorageError { Self.damaged(path, at: offset) }

    private static func damaged(_ path: String, at offset: UInt64) -> StorageError {
        StorageError(
            .corrupt, UndoCode.damaged,
            "is damaged, so the change cannot be taken back; restore the image from a copy, or throw the record away "
                + "and leave the image as it is",
            offset: offset, path: path, remedies: [.discardUndo])
    }

    private static func foreign(_ path: String) -> StorageError {
        StorageError(
            .corrupt, UndoCode.notARecord,
            "is no undo record, and has the name of one; move it away to go on", offset: 0, path: path)
    }
}
