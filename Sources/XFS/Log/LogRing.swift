internal import Storage

/// The log's ring of blocks of 512 bytes, whatever the volume's block is. Every block begins with the number of the round
/// ("cycle") in which it was written, a record's header with a magic number before it.
final class LogRing {
    static let blockSize = 512
    static let headerMagic: UInt32 = 0xfeed_babe
    /// Blocks are read this many at once and kept: searching looks at their first words only.
    private static let pieceBlockCount = 256
    private static let keptPieceCount = 64

    private let device: any BlockDevice
    private let start: UInt64
    /// Blocks of the ring.
    let count: Int
    /// Version 2: records of up to 256 KiB, with several blocks of header.
    let isVersion2: Bool
    private var pieces = BoundedCache<Int, [UInt8]>(budget: keptPieceCount)

    /// Blocks in which records that were under way at once may lie.
    var openBlockCount: Int { isVersion2 ? 4096 : 512 }
    /// Blocks of the longest record.
    var longestRecordBlockCount: Int { isVersion2 ? 512 : 64 }

    /// The ring of `count` blocks from byte `start` of the device on.
    init(_ device: any BlockDevice, start: UInt64, count: Int, isVersion2: Bool) {
        self.device = device
        self.start = start
        self.count = count
        self.isVersion2 = isVersion2
    }

    /// Where a block lies on the device.
    func position(of block: Int) -> UInt64 { start + UInt64(block) * UInt64(Self.blockSize) }

    private func piece(_ index: Int) throws(StorageError) -> [UInt8] {
        if let held = pieces.value(for: index) { return held }
        let first = index * Self.pieceBlockCount
        let length = min(Self.pieceBlockCount, count - first)
        let bytes = try device.bytes(at: position(of: first), count: length * Self.blockSize)
        pieces.keep(bytes, for: index, cost: 1)
        return bytes
    }

    /// A word of a block, which lies inside the ring.
    func word(_ block: Int, at offset: Int = 0) throws(StorageError) -> UInt32 {
        try piece(block / Self.pieceBlockCount).big(
            block % Self.pieceBlockCount * Self.blockSize + offset)
    }

    /// The round in which a block was written.
    func cycle(_ block: Int) throws(StorageError) -> UInt32 {
        let first = try word(block)
        return first == Self.headerMagic ? try word(block, at: 4) : first
    }

    func isHeader(_ block: Int) throws(StorageError) -> Bool { try word(block) == Self.headerMagic }

    /// Blocks from `first` on, around the ring's end.
    func bytes(_ first: Int, _ length: Int) throws(StorageError) -> [UInt8] {
        let before = min(length, count - first)
        let head = try device.bytes(at: position(of: first), count: before * Self.blockSize)
        guard before < length else { return head }
        return head + (try device.bytes(at: start, count: (length - before) * Self.blockSize))
    }

    /// A block's number within the ring.
    func wrapped(_ block: Int) -> Int { block >= count ? block - count : block }
}

extension VolumeView {
    /// The log inside the volume on `device`; nil where it lies on another one.
    func logRing(on device: any BlockDevice) throws(StorageError) -> LogRing? {
        let first = superblock.long(Superblock.Offset.logStart)
        guard first != 0 else { return nil }
        let blockCount = UInt64(superblock.word(Superblock.Offset.logBlockCount))
        let start = FSBlock(first)
        // Logs are no longer than 2 GiB (XFS_MAX_LOG_BYTES).
        guard blockCount > 0, geometry.contains(start, count: blockCount),
            blockCount * UInt64(geometry.blockSize) <= 1 << 31
        else {
            throw .xfs(
                .corrupt, .badLog, "the log does not lie inside the volume; run xfs_repair",
                structure: "superblock", field: "sb_logstart", offset: UInt64(Superblock.Offset.logStart))
        }
        let position = geometry.position(of: start)
        let byteCount = blockCount * UInt64(geometry.blockSize)
        guard position <= device.byteCount, byteCount <= device.byteCount - position else {
            throw .xfs(
                .corrupt, .truncatedDevice,
                "the log lies past the end of the device; the image may be truncated", offset: position)
        }
        return LogRing(
            device, start: position, count: Int(byteCount) / LogRing.blockSize,
            isVersion2: superblock.versionBits.contains(.logVersion2))
    }
}
