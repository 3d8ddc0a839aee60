internal import Storage

extension VolumeView {
    /// The superblock (copy) at a group's start, the descriptors behind it and the room kept for more.
    func groupHead(_ group: UInt64) -> Range<BlockNumber> {
        let hasSuperblock = geometry.hasSuperblock(group: group)
        let first = geometry.firstBlock(ofGroup: group).rawValue
        // The superblock of 1 KiB blocks with bigalloc lies in block 1 of a group that starts at block 0.
        let adjust: UInt64 = group == 0 && geometry.blockSize == 1024 && geometry.firstDataBlock == 0 ? 1 : 0
        var end = first + (hasSuperblock ? 1 + adjust : 0)
        let isMeta = geometry.incompatible.contains(.metaBlockGroups)
        let metaGroup = group / geometry.descriptorsPerBlock
        if isMeta, metaGroup >= geometry.firstMetaBlockGroup {
            // Each meta group keeps its block of descriptors in its first, second and last group.
            let place = group % geometry.descriptorsPerBlock
            if place == 0 || place == 1 || place == geometry.descriptorsPerBlock - 1 { end += 1 }
        } else if hasSuperblock {
            let old =
                isMeta
                ? min(geometry.firstMetaBlockGroup, geometry.descriptorBlockCount)
                : geometry.descriptorBlockCount
            end += old + (isMeta ? 0 : geometry.reservedDescriptorBlocks)
        }
        return BlockNumber(first)..<BlockNumber(min(end, geometry.blockCount))
    }
}
