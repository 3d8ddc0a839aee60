internal import Storage

extension Ext4Transaction {
    /// What a change without a journal writes before any name: e2fsck -p stops at a name of an inode that its group
    /// calls unused. In the first phase the records that come to be used are emptied and bitmaps that were never
    /// written are; in the second the descriptors, as they were but for what they call unused. After each the volume
    /// is the old one, and sound.
    func writesBeforeNames() throws(StorageError) -> OrderedWrites {
        var writes = OrderedWrites()
        guard hasGroupFlags else { return writes }
        var emptied: [BlockNumber: [UInt8]] = [:]
        var descriptors: [BlockNumber: [UInt8]] = [:]
        for (group, bitmap) in inodeBitmaps where bitmap.isChanged {
            var old = try fileSystem.descriptor(group)
            let perGroup = geometry.inodesPerGroup
            let wasUnwritten = old.flags & GroupDescriptor.Flags.inodesUninitialised != 0
            let before = wasUnwritten ? perGroup : min(old.unusedInodeCount, perGroup)
            let after = min(try descriptor(group).unusedInodeCount, perGroup)
            guard after < before else { continue }
            if old.flags & GroupDescriptor.Flags.inodesZeroed == 0 {
                try empty(perGroup - before..<perGroup - after, of: group, in: &emptied)
            }
            if wasUnwritten {
                var bytes = [UInt8](repeating: 0, count: geometry.blockSize)
                GroupBitmap.setBits(Int(perGroup)..<bytes.count * 8, in: &bytes)
                if geometry.hasMetadataChecksums {
                    old.inodeBitmapChecksum = geometry.checksum(bytes.span8.extracting(0..<Int(perGroup) / 8))
                }
                old.flags &= ~GroupDescriptor.Flags.inodesUninitialised
                emptied[old.inodeBitmap] = bytes
            }
            old.unusedInodeCount = after
            old.updateChecksum(geometry)
            let (number, offset) = try descriptorPosition(group)
            var bytes = try block(number, in: descriptors)
            bytes.replaceSubrange(offset..<offset + old.bytes.count, with: old.bytes)
            descriptors[number] = bytes
        }
        writes.add("unused inodes", OrderedCommit.writes(of: emptied, geometry.blockSize))
        writes.add("inodes announced", OrderedCommit.writes(of: descriptors, geometry.blockSize))
        return writes
    }

    /// A block as it is so far, or as the disk has it.
    private func block(
        _ number: BlockNumber, in blocks: [BlockNumber: [UInt8]]
    ) throws(StorageError) -> [UInt8] {
        if let held = blocks[number] { return held }
        return try fileSystem.block(number)
    }

    /// Zeroes inode records in their blocks as the disk has them.
    private func empty(
        _ slots: Range<UInt32>, of group: UInt64, in blocks: inout [BlockNumber: [UInt8]]
    ) throws(StorageError) {
        for slot in slots {
            let (number, offset) = try inodePosition(
                InodeNumber(UInt32(group) * geometry.inodesPerGroup + slot + 1))
            var bytes = try block(number, in: blocks)
            bytes.withMutableBytes { $0.zero(offset..<offset + geometry.inodeSize) }
            blocks[number] = bytes
        }
    }
}
