internal import Storage

/// Where the volume keeps its own structures: superblocks, descriptors, bitmaps, inode tables. Nothing is ever
/// allocated or freed there, whatever a bitmap says.
struct SystemZone: Sendable {
    private let ranges: RangeSet<BlockNumber>.Ranges

    init(_ ranges: [Range<BlockNumber>]) {
        // In order each joins at the end of what is there.
        self.ranges = RangeSet(ranges.sorted { $0.lowerBound < $1.lowerBound }).ranges
    }

    /// Whether any of `blocks` belongs to the volume itself.
    func overlaps(_ blocks: Range<BlockNumber>) -> Bool {
        let index = firstRange(endingAfter: blocks.lowerBound)
        return index < ranges.count && ranges[index].lowerBound < blocks.upperBound
    }

    /// The parts of `blocks` that belong to the volume itself.
    func parts(of blocks: Range<BlockNumber>) -> [Range<BlockNumber>] {
        var result: [Range<BlockNumber>] = []
        var index = firstRange(endingAfter: blocks.lowerBound)
        while index < ranges.count, ranges[index].lowerBound < blocks.upperBound {
            result.append(ranges[index].clamped(to: blocks))
            index += 1
        }
        return result
    }

    private func firstRange(endingAfter block: BlockNumber) -> Int {
        ranges.firstIndex(sortedBy: { $0.upperBound > block })
    }
}

extension VolumeView {
    /// Reads every descriptor, for where the volume's own structures lie.
    func systemZone() throws(StorageError) -> SystemZone {
        var ranges: [Range<BlockNumber>] = []
        for group in 0..<geometry.groupCount {
            let head = groupHead(group)
            if !head.isEmpty { ranges.append(head) }
            let descriptor = try descriptor(group)
            for block in [descriptor.blockBitmap, descriptor.inodeBitmap] {
                ranges.append(Range(block, count: 1))
            }
            ranges.append(Range(descriptor.inodeTable, count: geometry.inodeTableBlockCount))
        }
        return SystemZone(ranges)
    }
}
