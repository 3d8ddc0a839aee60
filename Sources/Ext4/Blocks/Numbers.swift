/// A block's number counted from the volume's start, in the volume's blocks.
struct BlockNumber: Hashable, Comparable, Sendable {
    var rawValue: UInt64
    init(_ rawValue: UInt64) { self.rawValue = rawValue }
    static func < (left: BlockNumber, right: BlockNumber) -> Bool { left.rawValue < right.rawValue }
    /// The block `count` further on. The caller knows that both lie in the volume.
    func advanced(by count: UInt64) -> BlockNumber { BlockNumber(rawValue &+ count) }
}

extension Range where Bound == BlockNumber {
    /// `count` blocks from `first` on. The caller knows that all of them lie in the volume.
    init(_ first: BlockNumber, count: UInt64) { self = first..<first.advanced(by: count) }

    /// How many blocks.
    var count: UInt64 { upperBound.rawValue - lowerBound.rawValue }

    /// Each of them.
    var numbers: LazyMapSequence<Range<UInt64>, BlockNumber> {
        (lowerBound.rawValue..<upperBound.rawValue).lazy.map { BlockNumber($0) }
    }
}

/// The number of a cluster, of one or several blocks (bigalloc), counted from the first data block.
struct ClusterNumber: Hashable, Comparable, Sendable {
    var rawValue: UInt64
    init(_ rawValue: UInt64) { self.rawValue = rawValue }
    static func < (left: ClusterNumber, right: ClusterNumber) -> Bool { left.rawValue < right.rawValue }
    /// The cluster `count` further on. The caller knows that it is one of the volume's.
    func advanced(by count: UInt64) -> ClusterNumber { ClusterNumber(rawValue &+ count) }
}

extension Range where Bound == ClusterNumber {
    /// How many clusters.
    var count: UInt64 { upperBound.rawValue - lowerBound.rawValue }
    /// The last; there is one.
    var last: ClusterNumber { ClusterNumber(upperBound.rawValue - 1) }
}

/// An inode's number; the first is 1.
struct InodeNumber: Hashable, Comparable, Sendable {
    var rawValue: UInt32
    init(_ rawValue: UInt32) { self.rawValue = rawValue }
    static func < (left: InodeNumber, right: InodeNumber) -> Bool { left.rawValue < right.rawValue }
    /// EXT2_ROOT_INO.
    static let root = InodeNumber(2)
}
