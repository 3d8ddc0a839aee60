internal import Storage

/// What the superblock says about the volume's shape, checked once at opening. Nothing here changes while the
/// volume is open. Field names and limits: the kernel's `struct ext4_super_block` and the checks of its mount.
struct Geometry: Sendable {
    /// Bytes per block, 1 KiB to 64 KiB.
    let blockSize: Int
    /// Blocks per cluster: 1 without bigalloc.
    let clusterRatio: UInt64
    /// Blocks in the volume.
    let blockCount: UInt64
    /// The first block that belongs to a group: 1 with 1 KiB blocks, else 0.
    let firstDataBlock: UInt64
    let blocksPerGroup: UInt64
    let clustersPerGroup: UInt64
    let inodesPerGroup: UInt32
    let inodeCount: UInt32
    let groupCount: UInt64
    /// Bytes per inode record.
    let inodeSize: Int
    /// The first inode number that a file may have.
    let firstInode: UInt32
    /// Bytes per group descriptor.
    let descriptorSize: Int
    /// Descriptor blocks from this index on lie in their own meta block groups.
    let firstMetaBlockGroup: UInt64
    /// Blocks kept behind the descriptors for growing.
    let reservedDescriptorBlocks: UInt64
    /// The two groups with backups under sparse_super2.
    let backupGroups: [UInt32]
    let revision: UInt32
    let compatible: CompatibleFeatures
    let incompatible: IncompatibleFeatures
    let readOnly: ReadOnlyFeatures
    /// The 16 bytes of s_uuid.
    let uuid: [UInt8]
    /// What metadata checksums start from: s_checksum_seed, or the CRC of the UUID.
    let checksumSeed: UInt32

    var descriptorsPerBlock: UInt64 { UInt64(blockSize / descriptorSize) }
    var inodesPerBlock: UInt64 { UInt64(blockSize / inodeSize) }
    /// Blocks that one group's inode table takes.
    var inodeTableBlockCount: UInt64 { UInt64(inodesPerGroup).dividedRoundingUp(by: inodesPerBlock) }
    var hasMetadataChecksums: Bool { readOnly.contains(.metadataChecksums) }

    /// The byte offset of a block that lies in the volume.
    func byteOffset(of block: BlockNumber) -> UInt64 { block.rawValue &* UInt64(blockSize) }

    /// Whether `count` blocks from `first` on lie in the volume and are not its boot block or superblock.
    func contains(_ first: BlockNumber, count: UInt64 = 1) -> Bool {
        guard first.rawValue > firstDataBlock, let end = first.rawValue +? count else { return false }
        return end <= blockCount
    }

    /// The first block of a group.
    func firstBlock(ofGroup group: UInt64) -> BlockNumber {
        BlockNumber(firstDataBlock &+ group &* blocksPerGroup)
    }

    /// How many blocks a group has; the last may be short.
    func blockCount(ofGroup group: UInt64) -> UInt64 {
        min(blocksPerGroup, blockCount - min(blockCount, firstBlock(ofGroup: group).rawValue))
    }

    /// The group that a block belongs to.
    func group(of block: BlockNumber) -> UInt64 {
        (block.rawValue - min(block.rawValue, firstDataBlock)) / blocksPerGroup
    }

    /// The group that an inode belongs to, and its index there. The number is not 0.
    func position(of inode: InodeNumber) -> (group: UInt64, index: UInt32) {
        let (group, index) = (inode.rawValue &- 1).quotientAndRemainder(dividingBy: inodesPerGroup)
        return (UInt64(group), index)
    }

    /// Whether a group begins with a superblock (copy): ext2fs_bg_has_super's rule.
    func hasSuperblock(group: UInt64) -> Bool {
        if group == 0 { return true }
        if compatible.contains(.sparseSuper2) { return backupGroups.contains { UInt64($0) == group } }
        if group == 1 || !readOnly.contains(.sparseSuper) { return true }
        guard group & 1 == 1 else { return false }
        return [3, 5, 7].contains { (base: UInt64) in
            var power = base
            while power < group { power *= base }
            return power == group
        }
    }

    /// How many blocks all descriptors take.
    var descriptorBlockCount: UInt64 { groupCount.dividedRoundingUp(by: descriptorsPerBlock) }

    /// Where descriptor block `index` lies: behind the superblock, or with meta_bg in the group it describes.
    func descriptorBlock(_ index: UInt64) -> BlockNumber {
        // 1 KiB blocks with bigalloc: groups start at block 0 and the superblock is in block 1.
        let adjust: UInt64 = blockSize == 1024 && clusterRatio > 1 ? 1 : 0
        guard incompatible.contains(.metaBlockGroups), index >= firstMetaBlockGroup else {
            return BlockNumber(firstDataBlock + 1 + adjust + index)
        }
        let group = index * descriptorsPerBlock
        let behindSuperblock: UInt64 = hasSuperblock(group: group) ? 1 : 0
        return firstBlock(ofGroup: group).advanced(by: behindSuperblock + (group == 0 ? adjust : 0))
    }
}
