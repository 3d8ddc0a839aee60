internal import Storage

/// A piece of a segment of an undo record, small enough to be held, checked and only then used. A header of 64 bytes,
/// bytes, and zeros up to a multiple of 512; all integers are little-endian:
///
///     0   8  "DGCHUNK\n"
///     8   4  CRC-32C of bytes 12 to 63
///     12  4  kind
///     16  16 transaction id
///     32  4  its number in the segment, from 0
///     36  4  number of ranges
///     40  8  bytes behind the header, zeros at the end included
///     48  4  CRC-32C of them
///     52     zeros
///
/// | kind | behind the header |
/// |---|---|
/// | 1 siblings | paths of other host files of the transaction, each ended by NUL |
/// | 2 before | per range its offset (8) and length (8, bit 63 set: all zeros, and no bytes are kept); then the bytes that the ranges held |
/// | 3 given | per range its offset (8) and length (8, bit 63 set: all zeros, and no sums are kept), then XXH64 (8) of each of its sectors: what a write or truncation leaves there, in the order in which they happen |
/// | 4 witnesses | as of kind 3: what lay there when the change began and relied on it, and lies there until a write is given there |
///
/// Ranges consist of whole sectors of 512 bytes, but for one of kind 2 that ends where the host file did. A sector's
/// bytes behind the end of the file count as zeros.
struct UndoChunk: Sendable {
    enum Kind: UInt32, Sendable { case siblings = 1, before = 2, given = 3, witnesses = 4 }

    static let magic = Array("DGCHUNK\n".utf8)
    static let headerSize = 64
    static let isZero: UInt64 = 1 << 63
    /// The most bytes of a chunk that a writer makes, header and padding left out.
    static let usualSize = 1 << 20
    /// The most that a reader takes.
    private static let sizeLimit: UInt64 = 2 << 20

    let kind: Kind
    let rangeCount: UInt32
    /// What is behind the header.
    let body: [UInt8]
    /// Where its header is in the record.
    let position: UInt64
    /// Where the next begins.
    let end: UInt64

    /// Reads the chunk at `position`, which must end before `limit`; nil when it is not as it was written.
    init?(
        _ log: any ByteFile, at position: UInt64, limit: UInt64, transactionID: [UInt8], number: UInt32
    ) throws(StorageError) {
        guard limit <= log.byteCount, position <= limit, limit - position >= UInt64(Self.headerSize) else {
            return nil
        }
        let header = try log.bytes(at: position, count: Self.headerSize)
        guard header.span8.matches(Self.magic),
            header.little(8, as: UInt32.self) == CRC32C.checksum(header.span8.extracting(12..<64)),
            header[16..<32] == transactionID[...], header.little(32, as: UInt32.self) == number,
            let kind = Kind(rawValue: header.little(12))
        else { return nil }
        let size: UInt64 = header.little(40)
        let start = position + UInt64(Self.headerSize)
        guard size <= Self.sizeLimit, size <= limit - start else { return nil }
        let body = try log.bytes(at: start, count: Int(size))
        guard CRC32C.checksum(body.span8) == header.little(48) else { return nil }
        self.kind = kind
        self.body = body
        self.position = position
        rangeCount = header.little(36)
        end = start + size
    }

    /// The bytes of a chunk to be written, padded.
    static func bytes(
        _ kind: Kind, number: UInt32, rangeCount: Int, body: [[UInt8]], transactionID: [UInt8]
    ) -> [UInt8] {
        var chunk = [UInt8](repeating: 0, count: headerSize)
        for part in body { chunk += part }
        let rest = chunk.count % UndoHeader.copySize
        if rest != 0 { chunk += [UInt8](repeating: 0, count: UndoHeader.copySize - rest) }
        chunk.replaceSubrange(0..<8, with: magic)
        chunk.storeLittle(kind.rawValue, at: 12)
        chunk.replaceSubrange(16..<32, with: transactionID)
        chunk.storeLittle(number, at: 32)
        chunk.storeLittle(UInt32(clamping: rangeCount), at: 36)
        chunk.storeLittle(UInt64(chunk.count - headerSize), at: 40)
        chunk.storeLittle(CRC32C.checksum(chunk.span8.extracting(headerSize..<chunk.count)), at: 48)
        chunk.storeLittle(CRC32C.checksum(chunk.span8.extracting(12..<64)), at: 8)
        return chunk
    }

    /// The paths of a chunk of kind "siblings".
    var paths: [String] { body.split(separator: 0).map { String(hostBytes: $0) } }

    /// A range of the host file, and where in `body` what the record has of it lies; nil stands for zeros.
    struct Entry: Sendable {
        var range: Range<UInt64>
        var place: Range<Int>?
    }

    /// The ranges of a chunk of kind "before", none past `limit`; nil when they do not fit.
    func savedRanges(below limit: UInt64) -> [Entry]? {
        var entries: [Entry] = []
        guard let count = Int(exactly: rangeCount), count <= body.count / 16 else { return nil }
        var place = count * 16
        for index in 0..<count {
            guard let (range, isZero) = range(at: index * 16, below: limit) else { return nil }
            guard !isZero else {
                entries.append(Entry(range: range, place: nil))
                continue
            }
            guard range.upperBound - range.lowerBound <= UInt64(body.count - place) else { return nil }
            let end = place + Int(range.upperBound - range.lowerBound)
            entries.append(Entry(range: range, place: place..<end))
            place = end
        }
        return entries
    }

    /// The ranges of a chunk of kind "given" or "witnesses", whole sectors; nil when they do not fit.
    func givenRanges() -> [Entry]? {
        var entries: [Entry] = []
        var position = 0
        for _ in 0..<rangeCount {
            guard body.count - position >= 16, let (range, isZero) = range(at: position, below: 1 << 63),
                range.lowerBound % UndoRecord.sectorSize == 0, range.upperBound % UndoRecord.sectorSize == 0
            else { return nil }
            position += 16
            guard !isZero else {
                entries.append(Entry(range: range, place: nil))
                continue
            }
            let size = (range.upperBound - range.lowerBound) / UndoRecord.sectorSize * 8
            guard size <= UInt64(body.count - position) else { return nil }
            entries.append(Entry(range: range, place: position..<position + Int(size)))
            position += Int(size)
        }
        return entries
    }

    private func range(at position: Int, below limit: UInt64) -> (range: Range<UInt64>, isZero: Bool)? {
        let offset: UInt64 = body.little(position)
        let word: UInt64 = body.little(position + 8)
        guard let end = offset +? (word & ~Self.isZero), end <= limit else { return nil }
        return (offset..<end, word & Self.isZero != 0)
    }
}
