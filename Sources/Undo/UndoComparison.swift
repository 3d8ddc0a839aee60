internal import HostIO
internal import Storage

/// A host file held against its undo record: every sector that the change touched, and the length. Nothing is written.
/// Making one checks the whole segment.
struct UndoComparison {
    /// Everything is as it was before the change.
    private(set) var isOld = true
    /// The length is one that the change never gave.
    private(set) var hasUnknownLength = false
    /// The length is not the one that the change left.
    private(set) var hasOtherLength = false
    /// Absolute paths of the other host files of the transaction.
    private(set) var siblings: [String] = []

    private let file: any ByteFile
    private let record: UndoRecord
    /// Sectors that are unlike anything known so far. What is known of one may come in several chunks.
    private var unknown = RangeSet<UInt64>()
    /// Sectors that are unlike what the change gave them last.
    private var notNew = RangeSet<UInt64>()
    /// Sectors behind the old end that are not zeros, and that the change did not write.
    private var strange = RangeSet<UInt64>()
    /// Sectors that the change touched from the one on that the file used to end in.
    private var appended = RangeSet<UInt64>()

    private static let sector = UndoRecord.sectorSize

    init(_ file: any ByteFile, _ record: UndoRecord, _ log: any ByteFile) throws(StorageError) {
        self.file = file
        self.record = record
        try compare(with: log)
    }

    /// The first byte of a sector that is neither as before nor as the change ever made it.
    var firstUnknown: UInt64? { unknown.ranges.first?.lowerBound }
    /// The first byte of a sector that is not as the change left it.
    var firstNotNew: UInt64? { notNew.ranges.first?.lowerBound }
    /// The first byte behind the old end of what the change did not write there. Taking the change back cuts it off.
    var firstBehindOldEnd: UInt64? { strange.ranges.first?.lowerBound }
    /// The whole change was recorded, and the file is as it leaves it.
    var isNew: Bool { record.header.lengthAfter != nil && notNew.isEmpty && !hasOtherLength }

    // MARK: Steps

    private mutating func compare(with log: any ByteFile) throws(StorageError) {
        try record.forEachChunk(in: log) { (chunk) throws(StorageError) in
            switch chunk.kind {
            case .siblings: siblings += chunk.paths
            case .before: try compareSaved(chunk)
            case .given: try compareGiven(chunk)
            case .witnesses: try compareWitnesses(chunk)
            }
        }
        try compareLength()
    }

    private mutating func compareSaved(_ chunk: UndoChunk) throws(StorageError) {
        let lengthBefore = record.header.lengthBefore
        for entry in try record.savedSectors(of: chunk) {
            let end = entry.sectors.upperBound
            if end > lengthBefore { appended.insert(contentsOf: end - Self.sector..<end) }
            addNotOld(try file.sectors(unlike: entry, of: chunk))
        }
    }

    private mutating func compareGiven(_ chunk: UndoChunk) throws(StorageError) {
        guard let entries = chunk.givenRanges() else { throw record.damaged(at: chunk.position) }
        // What is behind the old end was not saved: it was not there, which reads as zeros.
        let oldEnd = record.header.lengthBefore.roundedUp(to: Self.sector) ?? .max
        for entry in entries where !entry.range.isEmpty {
            let behind = max(entry.range.lowerBound, oldEnd)..<max(entry.range.upperBound, oldEnd)
            var first = RangeSet(behind)
            first.subtract(appended)
            for range in first.ranges { addNotOld(try file.sectorsNotZero(in: range)) }
            appended.insert(contentsOf: behind)

            let like = try sectors(like: entry, of: chunk)
            unknown.subtract(like)
            notNew.insert(contentsOf: entry.range)
            notNew.subtract(like)
        }
    }

    /// What the change relied on and has not changed is as it was, or as the change made it later. Nothing is put back there.
    private mutating func compareWitnesses(_ chunk: UndoChunk) throws(StorageError) {
        guard let entries = chunk.givenRanges() else { throw record.damaged(at: chunk.position) }
        for entry in entries where !entry.range.isEmpty {
            var unlike = RangeSet(entry.range)
            unlike.subtract(try sectors(like: entry, of: chunk))
            unknown.formUnion(unlike)
        }
    }

    /// The sectors of a range that hold what the record has a sum of.
    private func sectors(
        like entry: UndoChunk.Entry, of chunk: UndoChunk
    ) throws(StorageError) -> RangeSet<UInt64> {
        guard let place = entry.place else {
            var like = RangeSet(entry.range)
            like.subtract(try file.sectorsNotZero(in: entry.range))
            return like
        }
        return try file.sectors(in: entry.range) { (offset, current) in
            let index = Int((offset - entry.range.lowerBound) / Self.sector)
            return XXH64.checksum(current) == chunk.body.little(place.lowerBound + index * 8)
        }
    }

    /// The length, and what has come between the old end and the present one without the change's doing.
    private mutating func compareLength() throws(StorageError) {
        let header = record.header
        let length = file.byteCount
        if length != header.lengthBefore { isOld = false }
        hasOtherLength = length != header.lengthAfter
        hasUnknownLength = length < header.lengthLeast || length > header.lengthMost
        guard length > header.lengthBefore, !hasUnknownLength else { return }
        var gap = RangeSet(header.lengthBefore..<length)
        gap.subtract(appended)
        for range in gap.ranges {
            let found = try file.sectorsNotZero(in: range)
            strange.formUnion(found)
            addNotOld(found)
        }
    }

    private mutating func addNotOld(_ sectors: RangeSet<UInt64>) {
        guard !sectors.isEmpty else { return }
        isOld = false
        unknown.formUnion(sectors)
    }
}

extension UndoRecord {
    /// What a chunk saved, with the whole sectors that it is of.
    func savedSectors(
        of chunk: UndoChunk
    ) throws(StorageError) -> [(entry: UndoChunk.Entry, sectors: Range<UInt64>)] {
        guard let entries = chunk.savedRanges(below: header.lengthBefore) else {
            throw damaged(at: chunk.position)
        }
        var found: [(entry: UndoChunk.Entry, sectors: Range<UInt64>)] = []
        for entry in entries {
            guard let end = entry.range.upperBound.roundedUp(to: Self.sectorSize),
                entry.range.lowerBound % Self.sectorSize == 0
            else { throw damaged(at: chunk.position) }
            found.append((entry, entry.range.lowerBound..<end))
        }
        return found
    }
}

extension ByteFile {
    /// The sectors that do not hold what was saved of them.
    func sectors(
        unlike saved: (entry: UndoChunk.Entry, sectors: Range<UInt64>), of chunk: UndoChunk
    ) throws(StorageError) -> RangeSet<UInt64> {
        let range = saved.sectors
        guard let place = saved.entry.place else { return try sectorsNotZero(in: range) }
        let like = try sectors(in: range) { (offset, current) in
            let from = place.lowerBound + Int(offset - range.lowerBound)
            let kept = min(current.byteCount, place.upperBound - from)
            return current.extracting(0..<kept)
                .isEqual(chunk.body.span8.extracting(from..<from + kept))
                && current.extracting(kept..<current.byteCount).isAllZero
        }
        var unlike = RangeSet(range)
        unlike.subtract(like)
        return unlike
    }

    /// The sectors of a range for whose bytes `isWanted` says true; zeros stand for what lies behind the end. The first
    /// and the last may be parts of sectors.
    fileprivate func sectors(
        in range: Range<UInt64>, where isWanted: (_ offset: UInt64, RawSpan) -> Bool
    ) throws(StorageError) -> RangeSet<UInt64> {
        var found = RangeSet<UInt64>()
        var position = range.lowerBound
        while position < range.upperBound {
            let end = min(
                (position / UndoRecord.pieceSize + 1) * UndoRecord.pieceSize, range.upperBound)
            var bytes = try availableBytes(at: position, count: Int(end - position))
            bytes += [UInt8](repeating: 0, count: Int(end - position) - bytes.count)
            var offset = position
            while offset < end {
                let next = min((offset / UndoRecord.sectorSize + 1) * UndoRecord.sectorSize, end)
                let part = bytes.span8.extracting(Int(offset - position)..<Int(next - position))
                if isWanted(offset, part) { found.insert(contentsOf: offset..<next) }
                offset = next
            }
            position = end
        }
        return found
    }

    /// The sectors of a range that do not read as zeros.
    fileprivate func sectorsNotZero(in range: Range<UInt64>) throws(StorageError) -> RangeSet<UInt64> {
        var found = RangeSet<UInt64>()
        var position = range.lowerBound
        while position < min(range.upperBound, byteCount) {
            let run = try nextDataOrHole(at: position)
            let end = min(run.end, range.upperBound)
            if run.isData { found.formUnion(try sectors(in: position..<end) { !$1.isAllZero }) }
            position = end
        }
        return found
    }
}
