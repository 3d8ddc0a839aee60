internal import Storage

/// Free blocks.
struct FreeRecord: Equatable, Hashable, Sendable {
    var start: UInt32
    var count: UInt32

    init(start: UInt32, count: UInt32) {
        self.start = start
        self.count = count
    }

    init(_ bytes: [UInt8], at offset: Int) {
        self.init(start: bytes.big(offset), count: bytes.big(offset + 4))
    }

    /// Below 2^33.
    var end: UInt64 { UInt64(start) + UInt64(count) }
}

/// A chunk of 64 inodes, of which a sparse one lacks some (struct xfs_inobt_rec).
struct InodeRecord: Equatable, Hashable, Sendable {
    static let inodeCount = 64

    /// The first inode, within its group.
    var first: UInt32
    /// A bit stands for four inodes that are not there.
    var holes: UInt16
    var count: UInt8
    var freeCount: UInt32
    /// A bit stands for an inode that is free, or not there.
    var free: UInt64

    init(_ bytes: [UInt8], at offset: Int, isSparse: Bool) {
        first = bytes.big(offset)
        holes = isSparse ? bytes.big(offset + 4) : 0
        count = isSparse ? bytes[offset + 6] : UInt8(Self.inodeCount)
        freeCount = isSparse ? UInt32(bytes[offset + 7]) : bytes.big(offset + 4)
        free = bytes.big(offset + 8)
    }

    /// All 64 of a new chunk, free.
    init(newChunk first: UInt32) {
        self.first = first
        holes = 0
        count = UInt8(Self.inodeCount)
        freeCount = UInt32(Self.inodeCount)
        free = .max
    }

    /// As a tree's record.
    func bytes(isSparse: Bool) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 16)
        result.storeBig(first, at: 0)
        if isSparse {
            result.storeBig(holes, at: 4)
            result[6] = count
            result[7] = UInt8(truncatingIfNeeded: freeCount)
        } else {
            result.storeBig(freeCount, at: 4)
        }
        result.storeBig(free, at: 8)
        return result
    }

    /// A free inode that is there.
    var firstFree: Int? { (0..<Self.inodeCount).first { isFree($0) && exists($0) } }

    func exists(_ index: Int) -> Bool { holes & 1 << UInt16(index / 4) == 0 }
    func isFree(_ index: Int) -> Bool { free & 1 << UInt64(index) != 0 }

    /// Counts agree with the bits.
    var isSound: Bool {
        let there = (0..<Self.inodeCount).count(where: exists)
        let unused = (0..<Self.inodeCount).count { exists($0) && isFree($0) }
        return Int(count) == there && Int(freeCount) == unused
            && (0..<Self.inodeCount).allSatisfy { exists($0) || isFree($0) }
    }
}

/// Blocks and how many files have them; with `isStaging` blocks that a copy on write has put aside.
struct ReferenceRecord: Equatable, Hashable, Sendable {
    var start: UInt32
    var count: UInt32
    var references: UInt32
    var isStaging: Bool

    init(start: UInt32, count: UInt32, references: UInt32, isStaging: Bool = false) {
        self.start = start
        self.count = count
        self.references = references
        self.isStaging = isStaging
    }

    init(_ bytes: [UInt8], at offset: Int) {
        let first: UInt32 = bytes.big(offset)
        self.init(
            start: first & 0x7fff_ffff, count: bytes.big(offset + 4), references: bytes.big(offset + 8),
            isStaging: first >> 31 == 1)
    }

    var end: UInt64 { UInt64(start) + UInt64(count) }
}

/// Blocks and who has them (struct xfs_rmap_rec).
struct ReverseRecord: Equatable, Hashable, Sendable {
    static let attributeBit: UInt64 = 1 << 63
    static let mapBlockBit: UInt64 = 1 << 62
    static let unwrittenBit: UInt64 = 1 << 61

    var start: UInt32
    var count: UInt32
    /// An inode, or a number below zero for metadata.
    var owner: Int64
    /// The place in the file, and three bits of which fork and what state.
    var offset: UInt64

    init(start: UInt32, count: UInt32, owner: Int64, offset: UInt64) {
        self.start = start
        self.count = count
        self.owner = owner
        self.offset = offset
    }

    init(_ bytes: [UInt8], at offset: Int) {
        self.init(
            start: bytes.big(offset), count: bytes.big(offset + 4), owner: bytes.big(offset + 8),
            offset: bytes.big(offset + 16))
    }

    var end: UInt64 { UInt64(start) + UInt64(count) }
}
