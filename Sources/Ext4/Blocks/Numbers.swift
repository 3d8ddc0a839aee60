/// A block's number counted from the volume's start, in the volume's blocks.
struct BlockNumber: Hashable, Comparable, Sendable {
    var rawValue: UInt64
    init(_ rawValue: UInt64) { self.rawValue = rawValue }
    static func < (left: BlockNumber, right: BlockNumber) -> Bool { left.rawValue < right.rawValue }
    /// The block `count` further on. The caller knows that both lie in the volume.
    func advanced(by count: UInt64) -> BlockNumber { BlockNumber(rawValue &+ count) }
}

/// An inode's number; the first is 1.
struct InodeNumber: Hashable, Comparable, Sendable {
    var rawValue: UInt32
    init(_ rawValue: UInt32) { self.rawValue = rawValue }
    static func < (left: InodeNumber, right: InodeNumber) -> Bool { left.rawValue < right.rawValue }
    /// EXT2_ROOT_INO.
    static let root = InodeNumber(2)
}
