internal import Storage

extension VolumeCheck {
    /// Reads every descriptor and claims what the volume itself takes: boot block, superblocks, descriptors,
    /// bitmaps, inode tables. Returns the descriptors that can be used.
    func checkGroups() throws(StorageError) -> [GroupDescriptor] {
        var descriptors: [GroupDescriptor] = []
        for group in 0..<geometry.groupCount {
            claim(view.groupHead(group), for: "superblock and descriptors of group \(group)", isShared: true)
            try requireClaims()
            if group % 4096 == 0 { try Cancellation.check() }
        }
        for group in 0..<geometry.groupCount {
            guard
                let descriptor = try sink.attempt({ () throws(StorageError) in try view.descriptor(group) })
            else { continue }
            checkFlags(of: descriptor)
            claim(descriptor.blockBitmap, 1, for: "block bitmap of group \(group)")
            claim(descriptor.inodeBitmap, 1, for: "inode bitmap of group \(group)")
            claim(descriptor.inodeTable, geometry.inodeTableBlockCount, for: "inode table of group \(group)")
            descriptors.append(descriptor)
            try requireClaims()
        }
        if geometry.incompatible.contains(.multiMountProtection) {
            let block = BlockNumber(view.superblock.bytes.little(Superblock.Offset.mmpBlock))
            if geometry.contains(block) {
                claim(block, 1, for: "block of multi-mount protection")
            } else {
                sink.add(
                    .superblockField, "the block of multi-mount protection lies outside the volume",
                    structure: "superblock",
                    offset: Superblock.byteOffset + UInt64(Superblock.Offset.mmpBlock))
            }
        }
        return descriptors
    }

    private func claim(_ first: BlockNumber, _ count: UInt64, for what: String) {
        claim(Range(first, count: count), for: what, isShared: geometry.clusterRatio > 1)
    }

    /// Claims the clusters of blocks that belong to the volume. With bigalloc neighbours share clusters.
    private func claim(_ blocks: Range<BlockNumber>, for what: String, isShared: Bool) {
        guard let clusters = clusters(of: blocks) else { return }
        if let conflict = claims.claim(clusters), !isShared {
            let block = firstBlock(ofCluster: conflict)
            sink.add(
                .metadataOverlap, "the \(what) overlaps other metadata in block \(block.rawValue)",
                structure: "group descriptor", offset: geometry.byteOffset(of: block))
        }
    }

    /// The clusters that hold `blocks`, counted from the first data block; nil for none.
    func clusters(of blocks: Range<BlockNumber>) -> Range<ClusterNumber>? {
        let first = geometry.firstDataBlock
        let lower = max(blocks.lowerBound.rawValue, first)
        let upper = blocks.upperBound.rawValue
        guard lower < upper else { return nil }
        let ratio = geometry.clusterRatio
        return ClusterNumber(
            (lower - first) / ratio)..<ClusterNumber(
                (upper - first).dividedRoundingUp(by: ratio))
    }

    /// The first block of a cluster.
    func firstBlock(ofCluster cluster: ClusterNumber) -> BlockNumber {
        BlockNumber(geometry.firstDataBlock + cluster.rawValue * geometry.clusterRatio)
    }

    private func checkFlags(of descriptor: GroupDescriptor) {
        func bad(_ message: String) {
            sink.add(.groupFlags, "group \(descriptor.group) \(message)", structure: "group descriptor")
        }
        let hasChecksums =
            geometry.hasMetadataChecksums || geometry.readOnly.contains(.descriptorChecksums)
        let uninitialised =
            GroupDescriptor.Flags.inodesUninitialised | GroupDescriptor.Flags.blocksUninitialised
        if !hasChecksums, descriptor.flags & uninitialised != 0 || descriptor.unusedInodeCount != 0 {
            bad("is marked as never used, which this file system cannot have")
        }
        if hasChecksums, descriptor.unusedInodeCount > geometry.inodesPerGroup {
            bad("claims \(descriptor.unusedInodeCount) unused inodes of \(geometry.inodesPerGroup)")
        }
    }
}
