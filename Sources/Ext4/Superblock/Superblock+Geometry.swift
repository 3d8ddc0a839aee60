internal import Storage

extension Superblock {
    /// Checks every number that later arithmetic relies on. Throws `corrupt` naming the field, or `unsupported`
    /// naming the features.
    func geometry() throws(StorageError) -> Geometry {
        try checkFeatures()
        let logBlockSize = word(Offset.logBlockSize)
        guard logBlockSize <= 6 else {
            throw bad("s_log_block_size", Offset.logBlockSize, "\(logBlockSize) is above 6")
        }
        let blockSize = 1024 << Int(logBlockSize)
        let ratio = try clusterRatio(logBlockSize: logBlockSize)
        let blocks = blockCount
        let first = UInt64(word(Offset.firstDataBlock))
        guard first <= 1, first < blocks else {
            throw bad("s_first_data_block", Offset.firstDataBlock, "\(first) of \(blocks) blocks")
        }
        guard !(first == 0 && blockSize == 1024 && ratio == 1), !(first == 1 && blockSize > 1024) else {
            throw bad("s_first_data_block", Offset.firstDataBlock, "\(first) with \(blockSize)-byte blocks")
        }
        guard blocks <= UInt64(1) << 48, blocks *? UInt64(blockSize) != nil else {
            throw bad("s_blocks_count", Offset.blockCountLow, "\(blocks) blocks cannot be addressed")
        }
        let perGroup = UInt64(word(Offset.blocksPerGroup))
        guard perGroup >= 8, perGroup <= UInt64(8 * blockSize) * ratio, perGroup % ratio == 0 else {
            throw bad("s_blocks_per_group", Offset.blocksPerGroup, "\(perGroup) is out of range")
        }
        let inodeSize = try checkedInodeSize(blockSize: blockSize)
        let inodesPerGroup = word(Offset.inodesPerGroup)
        guard inodesPerGroup > 0, inodesPerGroup <= UInt32(8 * blockSize),
            UInt64(inodesPerGroup).dividedRoundingUp(by: UInt64(blockSize / inodeSize)) < perGroup
        else { throw bad("s_inodes_per_group", Offset.inodesPerGroup, "\(inodesPerGroup) is out of range") }
        let groups = (blocks - first).dividedRoundingUp(by: perGroup)
        guard groups <= UInt64(UInt32.max), groups * UInt64(inodesPerGroup) == UInt64(word(Offset.inodeCount))
        else {
            throw bad(
                "s_inodes_count", Offset.inodeCount,
                "\(word(Offset.inodeCount)) is not \(groups) groups of \(inodesPerGroup)")
        }
        let reserved = UInt64(half(Offset.reservedDescriptorBlocks))
        guard reserved <= UInt64(blockSize / 4) else {
            throw bad("s_reserved_gdt_blocks", Offset.reservedDescriptorBlocks, "\(reserved) is too many")
        }
        let seed =
            incompatible.contains(.checksumSeed)
            ? word(Offset.checksumSeed) : CRC32C.update(~0, uuid.span8)
        let geometry = Geometry(
            blockSize: blockSize, clusterRatio: ratio, blockCount: blocks, firstDataBlock: first,
            blocksPerGroup: perGroup, clustersPerGroup: perGroup / ratio, inodesPerGroup: inodesPerGroup,
            inodeCount: word(Offset.inodeCount), groupCount: groups, inodeSize: inodeSize,
            firstInode: revision > 0 ? word(Offset.firstInode) : 11,
            descriptorSize: try checkedDescriptorSize(blockSize: blockSize),
            firstMetaBlockGroup: UInt64(word(Offset.firstMetaBlockGroup)),
            reservedDescriptorBlocks: reserved,
            backupGroups: [word(Offset.backupGroups), word(Offset.backupGroups + 4)], revision: revision,
            compatible: compatible, incompatible: incompatible, readOnly: readOnly, uuid: uuid,
            checksumSeed: seed)
        guard geometry.firstInode >= 11, geometry.firstInode <= geometry.inodeCount else {
            throw bad("s_first_ino", Offset.firstInode, "\(geometry.firstInode) is out of range")
        }
        return geometry
    }

    private func checkFeatures() throws(StorageError) {
        guard revision <= 1 else {
            throw .ext4(
                .unsupported, .unsupportedRevision, "revision \(revision) of the format is not known",
                structure: "superblock", field: "s_rev_level", offset: Self.byteOffset + 0x4c)
        }
        if incompatible.contains(.journalDevice) {
            throw .ext4(
                .unsupported, .journalDevice,
                "this is the external journal of another file system, not a file system",
                structure: "superblock", field: "s_feature_incompat", offset: Self.byteOffset + 0x60)
        }
        let unknown = incompatible.subtracting(.readable)
        guard unknown.isEmpty else {
            throw .ext4(
                .unsupported, .unsupportedFeature,
                "the file system uses \(unknown.featureNames.joined(separator: ", ")), which is not supported",
                structure: "superblock", field: "s_feature_incompat", offset: Self.byteOffset + 0x60)
        }
    }

    private func clusterRatio(logBlockSize: UInt32) throws(StorageError) -> UInt64 {
        guard readOnly.contains(.bigAllocation) else { return 1 }
        let logClusterSize = word(Offset.logClusterSize)
        guard logClusterSize >= logBlockSize, logClusterSize <= 20 else {
            throw bad("s_log_cluster_size", Offset.logClusterSize, "\(logClusterSize) is out of range")
        }
        let ratio = UInt64(1) << UInt64(logClusterSize - logBlockSize)
        guard UInt64(word(Offset.clustersPerGroup)) * ratio == UInt64(word(Offset.blocksPerGroup)) else {
            throw bad(
                "s_clusters_per_group", Offset.clustersPerGroup,
                "\(word(Offset.clustersPerGroup)) clusters are not a group's blocks")
        }
        return ratio
    }

    private func checkedInodeSize(blockSize: Int) throws(StorageError) -> Int {
        guard revision > 0 else { return 128 }
        let size = Int(half(Offset.inodeSize))
        guard size >= 128, size <= blockSize, size & (size - 1) == 0 else {
            throw bad(
                "s_inode_size", Offset.inodeSize, "\(size) is not a power of two from 128 to the block size")
        }
        return size
    }

    private func checkedDescriptorSize(blockSize: Int) throws(StorageError) -> Int {
        // Without 64bit the field means nothing: images with 0 and with 32 both exist.
        guard incompatible.contains(.wide) else { return 32 }
        let size = Int(half(Offset.descriptorSize))
        guard size >= 64, size <= min(1024, blockSize), size & (size - 1) == 0 else {
            throw bad("s_desc_size", Offset.descriptorSize, "\(size) is not a power of two from 64 to 1024")
        }
        return size
    }

    private func bad(_ field: String, _ offset: Int, _ what: String) -> StorageError {
        .ext4(
            .corrupt, .badSuperblock, "\(field) is wrong: \(what); run e2fsck", structure: "superblock",
            field: field, offset: Self.byteOffset + UInt64(offset))
    }
}
