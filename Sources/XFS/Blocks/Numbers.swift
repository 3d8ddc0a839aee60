/// A block's number as XFS keeps it (xfs_fsblock_t): the allocation group above, the block within it below, so that
/// numbers have gaps where a group's length is no power of two.
struct FSBlock: Hashable, Comparable, Sendable {
    var rawValue: UInt64
    init(_ rawValue: UInt64) { self.rawValue = rawValue }
    static func < (left: FSBlock, right: FSBlock) -> Bool { left.rawValue < right.rawValue }
    /// The block `count` further on. The caller knows that both lie in one group.
    func advanced(by count: UInt64) -> FSBlock { FSBlock(rawValue &+ count) }
}

/// A block's number within its allocation group (xfs_agblock_t).
struct AGBlock: Hashable, Comparable, Sendable {
    var rawValue: UInt32
    init(_ rawValue: UInt32) { self.rawValue = rawValue }
    static func < (left: AGBlock, right: AGBlock) -> Bool { left.rawValue < right.rawValue }
    /// NULLAGBLOCK.
    static let none = AGBlock(.max)
}

/// An allocation group; the first is 0.
struct AGNumber: Hashable, Comparable, Sendable {
    var rawValue: UInt32
    init(_ rawValue: UInt32) { self.rawValue = rawValue }
    static func < (left: AGNumber, right: AGNumber) -> Bool { left.rawValue < right.rawValue }
}

/// An inode's number: its block, and its place in the block in the lowest bits.
struct InodeNumber: Hashable, Comparable, Sendable {
    var rawValue: UInt64
    init(_ rawValue: UInt64) { self.rawValue = rawValue }
    static func < (left: InodeNumber, right: InodeNumber) -> Bool { left.rawValue < right.rawValue }
}
