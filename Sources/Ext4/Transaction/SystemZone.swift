internal import Storage

/// Where the volume keeps its own structures: superblocks, descriptors, bitmaps, inode tables. Nothing is ever
/// allocated or freed there, whatever a bitmap says.
struct SystemZone: Sendable {
    /// Sorted, not overlapping.
    private let ranges: [Range<UInt64>]

    init(_ ranges: [Range<UInt64>]) {
        var merged: [Range<UInt64>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
            if let last = merged.last, range.lowerBound <= last.upperBound {
                merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        self.ranges = merged
    }

    /// Whether any of `blocks` belongs to the volume itself.
    func overlaps(_ blocks: Range<UInt64>) -> Bool {
        let index = firstRange(endingAfter: blocks.lowerBound)
        return index < ranges.count && ranges[index].lowerBound < blocks.upperBound
    }

    /// The parts of `blocks` that belong to the volume itself.
    func parts(of blocks: Range<UInt64>) -> [Range<UInt64>] {
        var result: [Range<UInt64>] = []
        var index = firstRange(endingAfter: blocks.lowerBound)
        while index < ranges.count, ranges[index].lowerBound < blocks.upperBound {
            result.append(ranges[index].clamped(to: blocks))
            index += 1
        }
        return result
    }

    private func firstRange(endingAfter block: UInt64) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound <= block { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension VolumeView {
    /// Reads every descriptor, for where the volume's own structures lie.
    func systemZone() throws(StorageError) -> SystemZone {
        var ranges: [Range<UInt64>] = []
        for group in 0..<geometry.groupCount {
            let head = groupHead(group)
            if !head.isEmpty { ranges.append(head) }
            let descriptor = try descriptor(group)
            for block in [descriptor.blockBitmap, descriptor.inodeBitmap] {
                ranges.append(block.rawValue..<block.rawValue + 1)
            }
            let table = descriptor.inodeTable.rawValue
            ranges.append(table..<table + geometry.inodeTableBlockCount)
        }
        return SystemZone(ranges)
    }
}
