internal import Glibc
internal import HostIO
internal import Storage

/// The segment of one host file while its transaction goes on. Nothing of the file may be changed before what was
/// there, and what will be, has been saved, synced, and counted by the head.
struct UndoWriter {
    private let file: any ByteFile
    private let log: HostFile
    private let segmentStart: UInt64
    private var header: UndoHeader
    private var end: UInt64
    private var chunkCount: UInt32 = 0
    /// Sectors that are saved, or lie behind the old end.
    private var saved = RangeSet<UInt64>()
    /// Sectors whose contents are noted as witnesses.
    private var witnessed = RangeSet<UInt64>()
    /// By bytes: to strings two spellings of a letter are one.
    private var siblings: Set<[UInt8]> = []
    /// Chunks were added since the head was written.
    private var hasNews = true

    /// Begins a segment in the record of `file`, which is created when there is none.
    init(
        of file: any ByteFile, in place: UndoPlace, transactionID: [UInt8], time: UInt64,
        diskLengthBefore: UInt64? = nil
    ) throws(StorageError) {
        try place.requireLasting(file)
        let existing = try UndoRecord.read(for: file.path, in: place)
        if existing?.isCutOff == true {
            throw StorageError(
                .refused, UndoCode.hot,
                "an earlier change was cut off", path: file.path,
                remedies: [.undo])
        }
        self.file = file
        let path = Self.path(of: file, existing, in: place)
        var newest =
            try HostDirectory.isThere(path)
            ? UndoRecord.newest(in: HostFile.open(path, locking: .ignore, followLinks: false)) : nil
        if let other = newest, try other.isNotGoneOn(with: file),
            try UndoRecord.keepOthers(path, than: { !$0.isOfAnother(than: file) }) != nil
        {
            newest = nil
        }
        segmentStart = newest?.segmentEnd ?? 0
        header = UndoHeader(
            transactionID: transactionID, time: time, lengthBefore: file.byteCount,
            identity: file.incarnation ?? FileIncarnation(inode: 0, birth: 0), position: segmentStart)
        header.modificationTime = file.modificationTime
        header.diskLengthBefore = diskLengthBefore
        end = segmentStart + UInt64(UndoHeader.size)
        // A first head is durable before the record has its name: one without is damaged.
        do throws(StorageError) {
            if newest == nil { try Self.create(path, header) }
            log = try HostFile.open(path, access: .write, locking: .ignore, followLinks: false)
        } catch {
            throw Self.notMade(error, path, of: file)
        }
        guard let newest else { return }
        do throws(StorageError) {
            // What was cut off there before must not come back between what is written now.
            if log.byteCount > segmentStart {
                try log.truncate(to: segmentStart)
                try log.flush()
            }
            try log.write(header.bytes, at: segmentStart)
            // Whoever made it may have been killed before its name was durable; a change that began came after.
            guard newest.state == .prepared else { return }
            try log.flush()
            try HostDirectory.sync(holding: path)
        } catch {
            discard()
            throw error
        }
    }

    /// Where a record goes on: in the one that the file has, by whichever of its names it was changed then, so that there is one
    /// for all of its names; without one, under the name that it has now.
    private static func path(of file: any ByteFile, _ existing: UndoRecord?, in place: UndoPlace) -> String {
        guard let existing, !file.hasFixedLength, existing.state == .done, existing.isExactlyOf(file)
        else { return place.recordPath(for: file.path) }
        return existing.path
    }

    /// Makes a record that consists of a head. What has its name is one whose first segment never was durable.
    private static func create(_ path: String, _ header: UndoHeader) throws(StorageError) {
        let hidden = hiddenPath(of: path)
        do throws(StorageError) {
            try HostDirectory.remove(hidden)
            let log = try HostFile.create(hidden, mode: 0o600)
            try log.write(header.bytes, at: 0)
            try log.flush()
            try HostDirectory.rename(hidden, to: path)
            try HostDirectory.sync(holding: path)
        } catch {
            try? HostDirectory.remove(hidden)
            throw error
        }
    }

    /// Where there may be no record, there is no change: what that record is for, and what helps.
    private static func notMade(_ error: StorageError, _ path: String, of file: any ByteFile) -> StorageError
    {
        guard let number = error.errno, [EACCES, EPERM, EROFS, ENOENT, ENOTDIR].contains(number) else {
            return error
        }
        let directory = HostPath.directory(of: path).hostBytes.shellText
        return StorageError(
            .io, UndoCode.recordNotMade,
            "nothing is changed without a record that takes it back, and none can be written in \(directory) "
                + "(\(error.message)); "
                + (file.hasFixedLength
                    ? "it needs a folder that may be written to"
                    : "make that folder writable, or copy the image to one that is"),
            errno: number, path: file.path, cause: error,
            remedies: file.hasFixedLength ? [.nameUndoDirectory] : [])
    }

    /// What a record is called while it is made: as long whatever the image's name is, and the same for each attempt, so
    /// that no heap of them is left by killed ones.
    static func hiddenPath(of path: String) -> String {
        let name = XXH64.checksum(HostPath.name(of: path).hostBytes.span8)
        return "\(HostPath.directory(of: path))/.\(name.hex.dropFirst(2)).undo.partial"
    }

    /// Whether the file may have been changed.
    var isHot: Bool { header.state == .hot }

    // MARK: What is recorded

    /// Takes note of the other host files of the transaction.
    mutating func addSiblings(_ paths: [String]) throws(StorageError) {
        let new = paths.map(\.hostBytes).filter { siblings.insert($0).inserted }
        guard !new.isEmpty else { return }
        try append(.siblings, rangeCount: 0, [new.flatMap { $0 + [0] }])
    }

    /// Saves what the file holds in the sectors of `ranges`, as far as it is not saved yet.
    mutating func save(_ ranges: [Range<UInt64>]) throws(StorageError) {
        var sectors = RangeSet<UInt64>()
        for range in ranges {
            let first = range.lowerBound / UndoRecord.sectorSize * UndoRecord.sectorSize
            guard let upper = range.upperBound.roundedUp(to: UndoRecord.sectorSize) else { continue }
            sectors.insert(contentsOf: first..<upper)
        }
        sectors.subtract(saved)
        var chunk = ChunkInProgress()
        for range in sectors.ranges where range.lowerBound < header.lengthBefore {
            // Bytes past the old end have no "before": the old length takes them back.
            let range = range.lowerBound..<min(range.upperBound, header.lengthBefore)
            try file.forEachPiece(of: range) { (offset, bytes) throws(StorageError) in
                if !chunk.hasRoom(for: bytes.byteCount) { try finish(&chunk) }
                chunk.add(bytes, at: offset)
            }
        }
        try finish(&chunk)
        saved.formUnion(sectors)
    }

    /// Takes note of what lies in sectors that the change relies on, as far as it has not changed them: whole ones.
    mutating func add(witnesses: RangeSet<UInt64>) throws(StorageError) {
        var sectors = RangeSet<UInt64>()
        for range in witnesses.ranges {
            let first = range.lowerBound / UndoRecord.sectorSize * UndoRecord.sectorSize
            guard let end = range.upperBound.roundedUp(to: UndoRecord.sectorSize) else { continue }
            let last = min(end, header.lengthBefore / UndoRecord.sectorSize * UndoRecord.sectorSize)
            if first < last { sectors.insert(contentsOf: first..<last) }
        }
        sectors.subtract(saved)
        sectors.subtract(witnessed)
        var found = GivenContents()
        for range in sectors.ranges {
            try file.forEachPiece(of: range) { (offset, bytes) throws(StorageError) in
                for range in GivenContents.ranges(of: bytes, at: offset, in: PageOverlay()) {
                    found.append(range)
                }
            }
        }
        for body in found.bodies { try append(.witnesses, rangeCount: body.rangeCount, [body.bytes]) }
        witnessed.formUnion(sectors)
    }

    /// Takes note of what the change is going to make of sectors, and of the lengths that it gives the file.
    mutating func add(_ given: GivenContents, lengths: ClosedRange<UInt64>) throws(StorageError) {
        for body in given.bodies { try append(.given, rangeCount: body.rangeCount, [body.bytes]) }
        header.lengthLeast = min(header.lengthLeast, lengths.lowerBound)
        header.lengthMost = max(header.lengthMost, lengths.upperBound)
    }

    /// The file's length at the end: nothing follows.
    mutating func seal(lengthAfter: UInt64) {
        header.lengthAfter = lengthAfter
        hasNews = true
    }

    // MARK: Steps

    /// Makes everything so far durable. It does not count yet, but in a segment that is prepared and not begun.
    mutating func sync() throws(StorageError) {
        guard hasNews else { return }
        if header.state == .prepared { try writeHeader() }
        try log.flush()
    }

    /// Counts everything that was made durable: from here the file may be changed.
    mutating func begin() throws(StorageError) {
        guard hasNews else { return }
        if header.state == .prepared {
            try UndoMark(transactionID: header.transactionID, recordPath: log.path).set(on: file)
            if segmentStart > 0 { try UndoRecord.setFollowed(true, endingAt: segmentStart, in: log) }
        }
        header.state = .hot
        try writeHeader()
        try log.flush()
        hasNews = false
    }

    /// Marks the change as complete. When it throws, the record may say either; `markHot` decides.
    mutating func markDone() throws(StorageError) {
        // Other names, and later ones, find the record by its place: from the moment when the mark says nothing any more.
        try? UndoMark.setPlace(on: file, log.path)
        header.state = .done
        try writeHeader()
        try log.flush()
        try? UndoMark.clear(on: file, header.transactionID)
    }

    /// Marks the change as half done again, after `markDone` threw.
    mutating func markHot() throws(StorageError) {
        header.state = .hot
        try writeHeader()
        try log.flush()
    }

    /// Puts back what was saved; the file is as it was before the transaction.
    func restore() throws(StorageError) {
        // All of it, before a part is put back.
        try record.forEachChunk(in: log) { (_) in }
        try record.restore(file, log)
    }

    /// Marks the change as taken back. With several files all of them have to be, before a segment goes.
    mutating func markRolledBack() throws(StorageError) {
        try record.mark(.rolledBack, in: log)
        header.state = .rolledBack
        try UndoMark.clear(on: file, header.transactionID)
    }

    /// Takes the segment away; nothing of the file may be changed.
    func discard() {
        // A mark without a record is refused: it goes first, though the segment never was hot.
        guard (try? UndoMark.clear(on: file, header.transactionID)) != nil else { return }
        try? UndoRecord.cut(log, at: segmentStart)
    }

    private var record: UndoRecord {
        UndoRecord(path: log.path, segmentStart: segmentStart, header: header)
    }

    private mutating func writeHeader() throws(StorageError) {
        header.segmentLength = end - segmentStart
        header.chunkCount = chunkCount
        try log.write(header.bytes, at: segmentStart)
    }

    // MARK: Chunks

    private mutating func finish(_ chunk: inout ChunkInProgress) throws(StorageError) {
        guard chunk.rangeCount > 0 else { return }
        try append(.before, rangeCount: chunk.rangeCount, [chunk.table, chunk.bytes])
        chunk = ChunkInProgress()
    }

    private mutating func append(
        _ kind: UndoChunk.Kind, rangeCount: Int, _ body: [[UInt8]]
    ) throws(StorageError) {
        let bytes = UndoChunk.bytes(
            kind, number: chunkCount, rangeCount: rangeCount, body: body,
            transactionID: header.transactionID)
        try log.write(bytes, at: end)
        chunkCount += 1
        end += UInt64(bytes.count)
        hasNews = true
    }
}

/// A chunk of kind "before" that ranges are added to.
private struct ChunkInProgress {
    private(set) var table: [UInt8] = []
    private(set) var bytes: [UInt8] = []
    private(set) var rangeCount = 0

    func hasRoom(for count: Int) -> Bool {
        table.count + 16 + bytes.count + count <= UndoChunk.usualSize
    }

    mutating func add(_ part: RawSpan, at offset: UInt64) {
        let isZero = part.isAllZero
        table.appendLittle(offset)
        table.appendLittle(UInt64(part.byteCount) | (isZero ? UndoChunk.isZero : 0))
        if !isZero { bytes += part.array(0..<part.byteCount) }
        rangeCount += 1
    }
}
