internal import Storage

extension VolumeCheck {
    /// Reads every descriptor and claims what the volume itself takes: boot block, superblocks, descriptors,
    /// bitmaps, inode tables. Returns the descriptors that can be used.
    func checkGroups() throws(StorageError) -> [GroupDescriptor] {
        var descriptors: [GroupDescriptor] = []
        for group in 0..<geometry.groupCount {
            claim(view.groupHead(group), for: "superblock and descriptors of group \(group)", isShared: true)
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
        }
        return descriptors
    }

    private func claim(_ first: BlockNumber, _ count: UInt64, for what: String) {
        claim(first.rawValue..<first.rawValue + count, for: what, isShared: geometry.clusterRatio > 1)
    }

    /// Claims the clusters of blocks that belong to the volume. With bigalloc neighbours share clusters.
    private func claim(_ blocks: Range<UInt64>, for what: String, isShared: Bool) {
        guard let clusters = clusters(of: blocks) else { return }
        if let conflict = claims.claim(clusters), !isShared {
            let block = firstBlock(ofCluster: conflict)
            sink.add(
                .metadataOverlap, "the \(what) overlaps other metadata in block \(block)",
                structure: "group descriptor", offset: block * UInt64(geometry.blockSize))
        }
    }

    /// The clusters that hold `blocks`, counted from the first data block; nil for none.
    func clusters(of blocks: Range<UInt64>) -> Range<UInt64>? {
        let first = geometry.firstDataBlock
        let lower = max(blocks.lowerBound, first)
        guard lower < blocks.upperBound else { return nil }
        let ratio = geometry.clusterRatio
        return (lower - first) / ratio..<(blocks.upperBound - first).dividedRoundingUp(by: ratio)
    }

    /// The first block of a cluster.
    func firstBlock(ofCluster cluster: UInt64) -> UInt64 {
        geometry.firstDataBlock + cluster * geometry.clusterRatio
    }

    private func checkFlags(of descriptor: GroupDescriptor) {
        func bad(_ message: String) {
            sink.add(.groupFlags, "group \(descriptor.group) \(message)", structure: "group descriptor")
        }
        let hasChecksums =
            geometry.hasMetadataChecksums || geometry.readOnly.contains(.descriptorChecksums)
        let uninitialised =
            GroupDescriptor.Flags.inodesUninitialised | GroupDescriptor.Flags.blocksUninitialised
        if !hasChecksums, descriptor.flags & uninitialised != 0 {
            bad("is marked as never used, which this file system cannot have")
        }
        if hasChecksums, descriptor.unusedInodeCount > geometry.inodesPerGroup {
            bad("claims \(descriptor.unusedInodeCount) unused inodes of \(geometry.inodesPerGroup)")
        }
    }
}

extension VolumeView {
    /// The superblock (copy) at a group's start, the descriptors behind it and the room kept for more.
    func groupHead(_ group: UInt64) -> Range<UInt64> {
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
        return first..<min(end, geometry.blockCount)
    }
}
