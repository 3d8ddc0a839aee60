internal import Glibc

/// `IMAGE.undo`: what host-file bytes and lengths were before each change, so that a change can be taken back,
/// whether it finished or not.
///
/// The file is a stack of segments, one for each transaction, the newest last. A segment is one header sector
/// of 512 bytes and then its ranges; all integers are little-endian:
///
///     0   8  "DGUNDO1\n"
///     8   4  state: 0 hot, 1 done, 2 rolled back, 3 being undone (written alone, in one sector)
///     12  4  CRC-32C of bytes 16 to 511
///     16  16 transaction id, the same in the records of all host files of one transaction
///     32  8  bytes of the whole segment
///     40  8  the host file's length before
///     48  8  the host file's length after
///     56  4  number of ranges
///     60  4  CRC-32C of everything behind the header
///     64  4  bytes of the sibling list
///     then, behind the header: the sibling list (paths of the other host files, each ended by NUL), and per
///     range: offset (8), length (8), the bytes before, the bytes after
///
/// A hot segment says that its change may be half done. Rolling back writes every "before" and the old length.
/// With several host files all are flushed before the first is marked done, so one done sibling proves that the
/// whole transaction is on disk.
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
    }

    static let magic = Array("DGUNDO1\n".utf8)
    static let headerSize = 512
    /// A segment larger than this is refused; boot files are far below.
    static let sizeLimit: UInt64 = 4 << 30

    /// The path of the record of a host file: beside the file itself, whatever link it was reached by.
    public static func path(for file: String) -> String { (HostDirectory.resolved(file) ?? file) + ".undo" }

    /// One range of changed bytes.
    struct Range: Sendable {
        var offset: UInt64
        var before: [UInt8]
        var after: [UInt8]
    }

    let path: String
    let segmentStart: UInt64
    let transactionID: [UInt8]
    /// The newest segment's state.
    public let state: State
    let lengthBefore: UInt64
    let lengthAfter: UInt64
    /// Absolute paths of the other host files that the same transaction changed.
    public let siblings: [String]
    let ranges: [Range]

    // MARK: Reading

    /// The newest segment of the record beside `file`, or nil when there is none. A segment that was cut off
    /// while it was written does not count: its change had not begun.
    public static func read(for file: String) throws(StorageError) -> UndoRecord? {
        let path = path(for: file)
        guard HostDirectory.exists(path) else { return nil }
        let record = try HostFile.open(path, locking: .ignore, followLinks: false)
        var start: UInt64 = 0
        var newest: UndoRecord?
        while start < record.byteCount {
            guard let segment = try parse(record, at: start) else { break }
            newest = segment.record
            start = segment.end
        }
        if newest == nil, record.byteCount >= UInt64(headerSize) {
            let head = try record.bytes(at: 0, count: 8)
            guard head == magic else {
                throw StorageError(
                    .corrupt, layer: "undo record", code: "not-a-record",
                    "is not an undo record; move it away to go on", offset: 0, path: path)
            }
        }
        return newest
    }

    private static func parse(
        _ file: HostFile, at start: UInt64
    ) throws(StorageError) -> (record: UndoRecord, end: UInt64)? {
        guard file.byteCount - start >= UInt64(headerSize) else { return nil }
        let header = try file.bytes(at: start, count: headerSize)
        guard header.span8.matches(magic),
            header.little(12, as: UInt32.self) == CRC32C.checksum(header.span8.extracting(16..<headerSize)),
            let state = State(rawValue: header.little(8))
        else { return nil }
        let size: UInt64 = header.little(32)
        guard size >= UInt64(headerSize), size <= sizeLimit, size <= file.byteCount - start else {
            return nil
        }
        let body = try file.bytes(at: start + UInt64(headerSize), count: Int(size) - headerSize)
        guard header.little(60, as: UInt32.self) == CRC32C.checksum(body.span8) else { return nil }

        func damaged() -> StorageError {
            StorageError(
                .corrupt, layer: "undo record", code: "damaged", "a range lies outside its segment",
                offset: start, path: file.path)
        }
        let siblingBytes = Int(header.little(64, as: UInt32.self))
        guard siblingBytes <= body.count else { throw damaged() }
        let siblings = body[0..<siblingBytes].split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        var ranges: [Range] = []
        var position = siblingBytes
        for _ in 0..<header.little(56, as: UInt32.self) {
            guard body.count - position >= 16 else { throw damaged() }
            let offset: UInt64 = body.little(position)
            position += 16
            guard let length = Int(exactly: body.little(position - 8, as: UInt64.self)),
                length <= (body.count - position) / 2, offset +? UInt64(length) != nil
            else { throw damaged() }
            ranges.append(
                Range(
                    offset: offset, before: Array(body[position..<position + length]),
                    after: Array(body[position + length..<position + 2 * length])))
            position += 2 * length
        }
        let record = UndoRecord(
            path: file.path, segmentStart: start, transactionID: Array(header[16..<32]), state: state,
            lengthBefore: header.little(40), lengthAfter: header.little(48), siblings: siblings,
            ranges: ranges)
        return (record, start + size)
    }

    /// Bytes that the newest segment's change covers.
    public var changedByteCount: Int { ranges.reduce(0) { $0 + $1.before.count } }

    // MARK: Preparing

    /// A durable record whose change has not finished.
    struct Pending: Sendable {
        let file: HostFile
        let segmentStart: UInt64

        func markDone() throws(StorageError) {
            try UndoRecord.setState(.done, in: file, at: segmentStart)
        }
    }

    /// Writes and syncs the records for `operations`, which have not been applied yet.
    static func prepare(
        files: [HostFile], operations: [HostTransaction.Operation]
    ) throws(StorageError) -> [Pending] {
        let id = try SystemRandom.bytes(16)
        var pending: [Pending] = []
        do throws(StorageError) {
            for (index, file) in files.enumerated() {
                guard let segment = try segment(for: file, index: index, files: files, operations, id: id)
                else {
                    continue
                }
                pending.append(try append(segment, besides: file))
            }
        } catch {
            // Nothing has been changed yet; a hot record without a change is only noise.
            for record in pending {
                try? record.file.truncate(to: record.segmentStart)
                if record.segmentStart == 0 { try? HostDirectory.remove(record.file.path) }
            }
            throw error
        }
        return pending
    }

    private static func segment(
        for file: HostFile, index: Int, files: [HostFile], _ operations: [HostTransaction.Operation],
        id: [UInt8]
    ) throws(StorageError) -> [UInt8]? {
        var touched: [Swift.Range<UInt64>] = []
        var after = file.diskByteCount
        var changed = false
        for operation in operations {
            switch operation {
            case .write(index, let offset, let bytes):
                touched.append(offset..<offset + UInt64(bytes.count))
                after = max(after, offset + UInt64(bytes.count))
                changed = true
            case .truncate(index, let length):
                // What a shorter file loses counts as changed.
                if length < after { touched.append(length..<after) }
                after = length
                changed = true
            default: continue
            }
        }
        guard changed else { return nil }
        let before = file.diskByteCount
        var body: [UInt8] = []
        for (other, sibling) in files.enumerated() where other != index {
            body += Array(HostDirectory.absolutePath(sibling.path).utf8) + [0]
        }
        let siblingBytes = body.count
        var count: UInt32 = 0
        for run in merged(touched) {
            // Bytes past the old end have no "before": the old length takes them back.
            let end = min(run.upperBound, before)
            guard run.lowerBound < end else { continue }
            let length = Int(end - run.lowerBound)
            let old = try file.diskBytes(at: run.lowerBound, count: length)
            var new = [UInt8](repeating: 0, count: length)
            if run.lowerBound < after {
                let held = try file.bytes(at: run.lowerBound, count: Int(min(end, after) - run.lowerBound))
                new.replaceSubrange(0..<held.count, with: held)
            }
            var head = [UInt8](repeating: 0, count: 16)
            head.storeLittle(run.lowerBound, at: 0)
            head.storeLittle(UInt64(length), at: 8)
            body += head
            body += old
            body += new
            count += 1
            guard UInt64(body.count) < sizeLimit else {
                throw StorageError(
                    .refused, layer: "undo record", code: "too-large",
                    "the change is too large to be made undoable; do it in smaller steps", path: file.path)
            }
        }
        var header = [UInt8](repeating: 0, count: headerSize)
        header.replaceSubrange(0..<8, with: magic)
        header.storeLittle(State.hot.rawValue, at: 8)
        header.replaceSubrange(16..<32, with: id)
        header.storeLittle(UInt64(headerSize + body.count), at: 32)
        header.storeLittle(before, at: 40)
        header.storeLittle(after, at: 48)
        header.storeLittle(count, at: 56)
        header.storeLittle(CRC32C.checksum(body.span8), at: 60)
        header.storeLittle(UInt32(siblingBytes), at: 64)
        header.storeLittle(CRC32C.checksum(header.span8.extracting(16..<headerSize)), at: 12)
        return header + body
    }

    private static func append(_ segment: [UInt8], besides file: HostFile) throws(StorageError) -> Pending {
        let path = path(for: file.path)
        let record: HostFile
        var start: UInt64 = 0
        if HostDirectory.exists(path) {
            record = try HostFile.open(path, access: .write, locking: .ignore, followLinks: false)
            while let known = try parse(record, at: start) { start = known.end }
            guard start > 0 || record.byteCount < UInt64(headerSize) else {
                throw StorageError(
                    .refused, layer: "undo record", code: "not-a-record",
                    "is in the way of the undo record; move it away to go on", path: path)
            }
        } else {
            record = try HostFile.create(path, mode: 0o600)
        }
        do throws(StorageError) {
            try record.write(segment, at: start)
            try record.truncate(to: start + UInt64(segment.count))
            try record.flush()
            try HostDirectory.sync(holding: path)
        } catch {
            try? record.truncate(to: start)
            if start == 0 { try? HostDirectory.remove(path) }
            throw error
        }
        return Pending(file: record, segmentStart: start)
    }

    private static func merged(_ ranges: [Swift.Range<UInt64>]) -> [Swift.Range<UInt64>] {
        var result: [Swift.Range<UInt64>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
            if let last = result.last, range.lowerBound <= last.upperBound {
                result[result.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }

    static func setState(_ state: State, in record: HostFile, at start: UInt64) throws(StorageError) {
        var bytes = [UInt8](repeating: 0, count: 4)
        bytes.storeLittle(state.rawValue, at: 0)
        try record.write(bytes, at: start + 8)
        try record.flush()
    }
}
