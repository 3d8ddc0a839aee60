internal import Storage

/// One node of an extent tree: a header and sorted entries of 12 bytes, in the inode's 60 bytes or in a block.
/// Offsets: the kernel's `struct ext4_extent_header`, `ext4_extent`, `ext4_extent_idx`.
struct ExtentNode {
    static let magic: UInt16 = 0xf30a
    static let entrySize = 12
    static let maximumDepth = 5
    /// An initialised extent's longest length; above it the extent is unwritten.
    static let maximumLength: UInt32 = 32768

    /// Header and entries (and in a block the checksum behind them).
    var bytes: [UInt8]

    var entryCount: Int { Int(bytes.little(2) as UInt16) }
    var maximumEntryCount: Int { Int(bytes.little(4) as UInt16) }
    var depth: Int { Int(bytes.little(6) as UInt16) }
    var isLeaf: Bool { depth == 0 }

    private static func offset(_ index: Int) -> Int { entrySize * (index + 1) }

    /// The first file block of entry `index`.
    func logical(_ index: Int) -> UInt64 { UInt64(bytes.little(Self.offset(index)) as UInt32) }

    /// Where an index entry's child lies.
    func child(_ index: Int) -> BlockNumber {
        let low: UInt32 = bytes.little(Self.offset(index) + 4)
        let high: UInt16 = bytes.little(Self.offset(index) + 8)
        return BlockNumber(UInt64(high) << 32 | UInt64(low))
    }

    /// The run of a leaf entry.
    func extent(_ index: Int) -> MappedRun {
        let low: UInt32 = bytes.little(Self.offset(index) + 8)
        let high: UInt16 = bytes.little(Self.offset(index) + 6)
        let length = UInt32(bytes.little(Self.offset(index) + 4) as UInt16)
        let start = BlockNumber(UInt64(high) << 32 | UInt64(low))
        return length > Self.maximumLength
            ? MappedRun(
                logical: logical(index), count: UInt64(length - Self.maximumLength), place: .unwritten(start))
            : MappedRun(logical: logical(index), count: UInt64(length), place: .written(start))
    }

    /// The last entry that begins at or before `logical`, or nil when all begin behind it.
    func entry(before logical: UInt64) -> Int? {
        let behind = (0..<entryCount).firstIndex(sortedBy: { self.logical($0) > logical })
        return behind == 0 ? nil : behind - 1
    }

    /// Why the node cannot be right, or nil. `depth` is what its parent (or for the root nobody) demands;
    /// `capacity` how many entries its place holds; entries must lie in `bounds`.
    func defect(depth expected: Int?, capacity: Int, bounds: Range<UInt64>, _ geometry: Geometry) -> String? {
        guard bytes.little(0) == Self.magic else { return "it has no magic number" }
        guard maximumEntryCount <= capacity, entryCount <= maximumEntryCount else {
            return "it claims \(entryCount) of \(maximumEntryCount) entries where \(capacity) fit"
        }
        guard depth <= Self.maximumDepth, expected == nil || depth == expected else {
            return "its depth is \(depth)"
        }
        guard isLeaf || entryCount > 0 else { return "it is an index without entries" }
        var next = bounds.lowerBound
        for index in 0..<entryCount {
            guard logical(index) >= next, logical(index) < bounds.upperBound else {
                return "entry \(index) is out of order"
            }
            guard isLeaf else {
                guard geometry.contains(child(index)) else { return "entry \(index) lies outside the volume" }
                next = logical(index) + 1
                continue
            }
            let run = extent(index)
            guard run.count > 0, run.end <= bounds.upperBound else {
                return "extent \(index) is empty or overlaps the next"
            }
            guard let start = run.firstBlock, geometry.contains(start, count: run.count) else {
                return "extent \(index) lies outside the volume"
            }
            next = run.end
        }
        return nil
    }
}
