internal import Storage

/// The head of a segment of an undo record: 1024 bytes, the same sector of 512 bytes twice, so that a sector that rots
/// loses nothing. Both are written at once, and what a cut leaves of that is either of two states that are both right.
/// All integers are little-endian:
///
///     0   8  "DGUNDO3\n"
///     8   4  CRC-32C of bytes 12 to 511
///     12  4  state: 0 hot, 1 done, 2 rolled back, 3 being undone, 4 prepared
///     16  16 transaction id, the same in the records of all host files of one transaction
///     32  8  when the transaction began, in nanoseconds since 1970
///     40  8  bytes of the segment that count, this head included
///     48  4  chunks in them
///     52  4  1: sealed, nothing follows in this transaction
///     56  8  the host file's length before
///     64  8  the least length that the change gives it on the way
///     72  8  the greatest
///     80  8  the length after, once it is sealed
///     88  8  the host file's inode number
///     96  8  its birth time, in nanoseconds since 1970; 0 where the file system keeps none
///     104 8  where the segment begins in the record
///     112 4  1: another segment has begun behind this one; 2: says what became of another file than the one that was changed;
///            4: the next but one field is kept; 8: a later change was here, whose segment was thrown away; 16: the last field is
///            kept
///     116 4  zeros
///     120 8  when the host file was last changed before, in seconds since 1970
///     128 8  how long the guest's disk was before, where the change makes it longer
///     136    zeros
struct UndoHeader: Equatable, Sendable {
    static let magic = Array("DGUNDO3\n".utf8)
    /// How records of all versions begin.
    static let anyMagic = Array("DGUNDO".utf8)
    static let copySize = 512
    static let size = 2 * copySize

    var state: UndoRecord.State
    let transactionID: [UInt8]
    let time: UInt64
    var segmentLength = UInt64(size)
    var chunkCount: UInt32 = 0
    let lengthBefore: UInt64
    var lengthLeast: UInt64
    var lengthMost: UInt64
    /// nil until the change is sealed.
    var lengthAfter: UInt64?
    var identity: FileIncarnation
    let position: UInt64
    /// When the host file was last changed before; nil where nobody knows.
    var modificationTime: Int64?
    /// How many bytes the guest's disk had before a change that makes it longer; nil for all others.
    var diskLengthBefore: UInt64?
    /// Another segment has been hot behind this one, so that nothing there is damage.
    var isFollowed = false
    /// A later change had a segment behind this one, which was thrown away, so that nobody knows what it did.
    var hasLostLater = false
    /// The state and the identity are those of a file that had the name of the one that was changed.
    var isOfAnother = false

    /// The head of a transaction that has not begun.
    init(
        transactionID: [UInt8], time: UInt64, lengthBefore: UInt64, identity: FileIncarnation,
        position: UInt64
    ) {
        state = .prepared
        self.transactionID = transactionID
        self.time = time
        self.lengthBefore = lengthBefore
        lengthLeast = lengthBefore
        lengthMost = lengthBefore
        self.identity = identity
        self.position = position
    }

    /// One copy of 512 bytes; nil when it is none of a segment at `position`, or damaged.
    init?(_ bytes: RawSpan, position: UInt64) {
        guard bytes.byteCount == Self.copySize, bytes.matches(Self.magic), bytes.little(104) == position,
            bytes.little(8, as: UInt32.self) == CRC32C.checksum(bytes.extracting(12..<Self.copySize)),
            let state = UndoRecord.State(rawValue: bytes.little(12))
        else { return nil }
        self.state = state
        transactionID = bytes.array(16..<32)
        time = bytes.little(32)
        segmentLength = bytes.little(40)
        chunkCount = bytes.little(48)
        lengthBefore = bytes.little(56)
        lengthLeast = bytes.little(64)
        lengthMost = bytes.little(72)
        lengthAfter = bytes.little(52, as: UInt32.self) & 1 != 0 ? bytes.little(80) : nil
        identity = FileIncarnation(inode: bytes.little(88), birth: bytes.little(96))
        self.position = position
        isFollowed = bytes.little(112, as: UInt32.self) & 1 != 0
        isOfAnother = bytes.little(112, as: UInt32.self) & 2 != 0
        hasLostLater = bytes.little(112, as: UInt32.self) & 8 != 0
        modificationTime =
            bytes.little(112, as: UInt32.self) & 4 != 0 ? Int64(bitPattern: bytes.little(120)) : nil
        diskLengthBefore = bytes.little(112, as: UInt32.self) & 16 != 0 ? bytes.little(128) : nil
    }

    /// Both copies.
    var bytes: [UInt8] {
        var copy = [UInt8](repeating: 0, count: Self.copySize)
        copy.replaceSubrange(0..<8, with: Self.magic)
        copy.storeLittle(state.rawValue, at: 12)
        copy.replaceSubrange(16..<32, with: transactionID)
        copy.storeLittle(time, at: 32)
        copy.storeLittle(segmentLength, at: 40)
        copy.storeLittle(chunkCount, at: 48)
        copy.storeLittle(UInt32(lengthAfter == nil ? 0 : 1), at: 52)
        copy.storeLittle(lengthBefore, at: 56)
        copy.storeLittle(lengthLeast, at: 64)
        copy.storeLittle(lengthMost, at: 72)
        copy.storeLittle(lengthAfter ?? 0, at: 80)
        copy.storeLittle(identity.inode, at: 88)
        copy.storeLittle(identity.birth, at: 96)
        copy.storeLittle(position, at: 104)
        let flags =
            (isFollowed ? 1 : 0) | (isOfAnother ? 2 : 0) | (modificationTime == nil ? 0 : 4)
            | (hasLostLater ? 8 : 0) | (diskLengthBefore == nil ? 0 : 16)
        copy.storeLittle(UInt32(flags), at: 112)
        copy.storeLittle(UInt64(bitPattern: modificationTime ?? 0), at: 120)
        copy.storeLittle(diskLengthBefore ?? 0, at: 128)
        copy.storeLittle(CRC32C.checksum(copy.span8.extracting(12..<Self.copySize)), at: 8)
        return copy + copy
    }

    /// What is at a place where a head may be.
    enum Found {
        case header(UndoHeader)
        /// Nothing, or zeros: a head that was never written.
        case nothing
        case damaged
        /// A record of another version.
        case otherVersion
        /// Bytes that were never a head.
        case foreign
    }

    static func find(in log: any ByteFile, at start: UInt64) throws(StorageError) -> Found {
        let bytes = try log.availableBytes(at: start, count: size)
        var isRecord = false
        var isOther = false
        for copy in [0, copySize] where bytes.count >= copy + copySize {
            let sector = bytes.span8.extracting(copy..<copy + copySize)
            if let header = UndoHeader(sector, position: start) { return .header(header) }
            isRecord = isRecord || sector.matches(magic)
            isOther = isOther || sector.matches(anyMagic)
        }
        // Less than a head that begins as one: cut off by something else than a power cut.
        if bytes.count < copySize, bytes.count >= magic.count {
            isRecord = bytes.span8.matches(magic)
            isOther = bytes.span8.matches(anyMagic)
        }
        if bytes.span8.isAllZero { return .nothing }
        return isRecord ? .damaged : isOther ? .otherVersion : .foreign
    }
}
