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
            let base = baseStructures(ofGroup: group)
            if !base.isEmpty { ranges.append(base) }
            let descriptor = try descriptor(group)
            for block in [descriptor.blockBitmap, descriptor.inodeBitmap] {
                ranges.append(block.rawValue..<block.rawValue + 1)
            }
            let table = descriptor.inodeTable.rawValue
            ranges.append(table..<table + geometry.inodeTableBlockCount)
        }
        return SystemZone(ranges)
    }

    /// The superblock copy at a group's start and the descriptors behind it, with the room kept for more.
    private func baseStructures(ofGroup group: UInt64) -> Range<UInt64> {
        let first = geometry.firstBlock(ofGroup: group).rawValue
        let hasSuperblock = geometry.hasSuperblock(group: group)
        var end = first + (hasSuperblock ? 1 : 0)
        let isMeta = geometry.incompatible.contains(.metaBlockGroups)
        if isMeta, group / geometry.descriptorsPerBlock >= geometry.firstMetaBlockGroup {
            // Each meta block group keeps its one block of descriptors in its first, second and last group.
            let place = group % geometry.descriptorsPerBlock
            if place == 0 || place == 1 || place == geometry.descriptorsPerBlock - 1 { end += 1 }
        } else if hasSuperblock {
            end +=
                isMeta
                ? geometry.firstMetaBlockGroup
                : geometry.descriptorBlockCount + geometry.reservedDescriptorBlocks
        }
        return first..<min(end, geometry.blockCount)
    }
}
