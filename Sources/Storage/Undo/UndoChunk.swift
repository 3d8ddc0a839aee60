/// A piece of a segment of an undo record. Chunks are made durable in batches, each before the writes that it guards
/// begin; so the last batch, which alone can be cut off, counts as absent when one of its chunks is not whole. A header
/// of 64 bytes, then bytes; all integers are little-endian:
///
///     0   8  "DGCHUNK\n"
///     8   4  kind
///     12  4  CRC-32C of bytes 16 to 63
///     16  16 transaction id
///     32  4  its number in the segment, from 0
///     36  4  number of ranges
///     40  8  bytes behind the header
///     48  8  kind 3: the host file's length after the change
///     56  4  CRC-32C of the bytes behind the header
///     60  4  number of its batch
///
/// | kind | behind the header |
/// |---|---|
/// | 1 siblings | paths of other host files of the transaction, each ended by NUL |
/// | 2 before | the bytes that ranges held; then per range its offset (8) and length (8, bit 63 set: all zeros, and no bytes are kept) |
/// | 3 after | per range its offset (8), length (8), CRC-32C and CRC-32 of what the change leaves there (4 and 4) |
struct UndoChunk: Sendable {
    enum Kind: UInt32, Sendable { case siblings = 1, before = 2, after = 3 }

    static let magic = Array("DGCHUNK\n".utf8)
    static let headerSize = 64
    static let beforeEntrySize = 16
    static let afterEntrySize = 24
    static let isZero: UInt64 = 1 << 63
    /// The most ranges that a chunk has: its table is held in memory.
    static let rangeLimit = 1 << 12

    var kind: Kind
    var number: UInt32
    var rangeCount: UInt32
    var byteCount: UInt64
    var lengthAfter: UInt64 = 0
    var checksum: UInt32
    var batch: UInt32
    /// Where its header is in the record.
    var position: UInt64

    /// Where the bytes behind its header are in the record.
    var body: UInt64 { position + UInt64(Self.headerSize) }
    /// Where the next begins.
    var end: UInt64 { body + byteCount }

    /// The header at `position`, or nil when there is none of this transaction, or its bytes go past the end.
    init?(
        _ log: HostFile, at position: UInt64, transactionID: [UInt8], number: UInt32
    ) throws(StorageError) {
        guard log.byteCount - min(position, log.byteCount) >= UInt64(Self.headerSize) else { return nil }
        let header = try log.bytes(at: position, count: Self.headerSize)
        guard header.span8.matches(Self.magic),
            header.little(12, as: UInt32.self) == CRC32C.checksum(header.span8.extracting(16..<64)),
            header[16..<32] == transactionID[...], header.little(32, as: UInt32.self) == number,
            let kind = Kind(rawValue: header.little(8))
        else { return nil }
        self.kind = kind
        self.number = number
        self.position = position
        rangeCount = header.little(36)
        byteCount = header.little(40)
        lengthAfter = header.little(48)
        checksum = header.little(56)
        batch = header.little(60)
        guard byteCount <= log.byteCount - position - UInt64(Self.headerSize) else { return nil }
    }

    /// One to be written.
    init(
        _ kind: Kind, number: UInt32, batch: UInt32, rangeCount: Int, byteCount: UInt64, checksum: UInt32,
        at position: UInt64
    ) {
        self.batch = batch
        self.kind = kind
        self.number = number
        self.rangeCount = UInt32(clamping: rangeCount)
        self.byteCount = byteCount
        self.checksum = checksum
        self.position = position
    }

    /// The header's bytes.
    func header(transactionID: [UInt8]) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: Self.headerSize)
        header.replaceSubrange(0..<8, with: Self.magic)
        header.storeLittle(kind.rawValue, at: 8)
        header.replaceSubrange(16..<32, with: transactionID)
        header.storeLittle(number, at: 32)
        header.storeLittle(rangeCount, at: 36)
        header.storeLittle(byteCount, at: 40)
        header.storeLittle(lengthAfter, at: 48)
        header.storeLittle(checksum, at: 56)
        header.storeLittle(batch, at: 60)
        header.storeLittle(CRC32C.checksum(header.span8.extracting(16..<64)), at: 12)
        return header
    }

    /// Whether the bytes behind the header are those that were written.
    func isWhole(in log: HostFile) throws(StorageError) -> Bool {
        var register: UInt32 = 0xffff_ffff
        try log.forEachPiece(of: body..<end) { (_, bytes) in register = CRC32C.update(register, bytes) }
        return ~register == checksum
    }

    /// The table of ranges at the end of its bytes, or nil when it does not fit.
    func table(entrySize: Int, in log: HostFile) throws(StorageError) -> [UInt8]? {
        guard let count = Int(exactly: rangeCount), count <= Self.rangeLimit, let size = count *? entrySize,
            UInt64(size) <= byteCount
        else { return nil }
        return try log.bytes(at: end - UInt64(size), count: size)
    }
}

extension HostFile {
    /// The most that `forEachPiece` reads at once.
    static var pieceSize: UInt64 { 256 << 10 }

    /// Reads a range in pieces that a buffer holds: what the file shows, or what it holds below a transaction.
    func forEachPiece(
        of range: Range<UInt64>, onDisk: Bool = false, _ body: (UInt64, RawSpan) throws(StorageError) -> Void
    ) throws(StorageError) {
        guard !range.isEmpty else { return }
        var buffer = ByteBuffer(byteCount: Int(min(Self.pieceSize, range.upperBound - range.lowerBound)))
        var position = range.lowerBound
        while position < range.upperBound {
            let count = Int(min(Self.pieceSize, range.upperBound - position))
            var bytes = buffer.mutableBytes
            var part = bytes.part(0..<count)
            if onDisk {
                try readDisk(into: &part, at: position)
            } else {
                try read(into: &part, at: position)
            }
            try body(position, buffer.bytes.extracting(0..<count))
            position += UInt64(count)
        }
    }
}
