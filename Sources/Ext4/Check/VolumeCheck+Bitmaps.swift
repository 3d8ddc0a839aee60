internal import Storage

extension VolumeCheck {
    /// Bitmaps against what was found, and the counters of groups and superblock: pass 5.
    func checkBitmaps(_ groups: [GroupDescriptor]) throws(StorageError) {
        var freeClusters: UInt64 = 0
        var freeInodes: UInt64 = 0
        var directoryCounts: [UInt64: UInt32] = [:]
        for directory in directories {
            directoryCounts[geometry.position(of: InodeNumber(directory)).group, default: 0] += 1
        }
        for descriptor in groups {
            // A group that was never written is judged without reading anything.
            try Cancellation.check()
            let clusters = try checkBlockBitmap(descriptor)
            let inodes = try checkInodeBitmap(descriptor)
            let directories = directoryCounts[descriptor.group] ?? 0
            freeClusters += clusters
            freeInodes += inodes
            guard
                descriptor.freeBlockCount != clusters || descriptor.freeInodeCount != inodes
                    || descriptor.usedDirectoryCount != directories
            else { continue }
            sink.add(
                .groupCounts,
                "group \(descriptor.group) counts \(descriptor.freeBlockCount) free blocks, "
                    + "\(descriptor.freeInodeCount) free inodes and \(descriptor.usedDirectoryCount) directories, "
                    + "and has \(clusters), \(inodes) and \(directories)", structure: "group descriptor")
        }
        // The superblock's counts are not kept up to date while mounted; a replay corrects them.
        guard !view.superblock.needsRecovery, UInt64(groups.count) == geometry.groupCount else { return }
        let free = freeClusters * geometry.clusterRatio
        guard view.superblock.freeBlockCount != free || UInt64(view.superblock.freeInodeCount) != freeInodes
        else { return }
        sink.add(
            .freeCounts,
            "the superblock counts \(view.superblock.freeBlockCount) free blocks and "
                + "\(view.superblock.freeInodeCount) free inodes, and there are \(free) and \(freeInodes)",
            structure: "superblock", offset: Superblock.byteOffset + UInt64(Superblock.Offset.freeBlocksLow))
    }

    private var hasGroupChecksums: Bool {
        geometry.hasMetadataChecksums || geometry.readOnly.contains(.descriptorChecksums)
    }

    /// Returns the group's free clusters, as found.
    private func checkBlockBitmap(_ descriptor: GroupDescriptor) throws(StorageError) -> UInt64 {
        let first = descriptor.group * geometry.clustersPerGroup
        let count = geometry.blockCount(ofGroup: descriptor.group).dividedRoundingUp(
            by: geometry.clusterRatio)
        let claimed = claims.bytes(at: ClusterNumber(first), Int(count.dividedRoundingUp(by: 8)))
        let expected = expectedBitmap(count: count, padded: geometry.clustersPerGroup) { claimed[Int($0)] }
        let used = expected.used
        // A bitmap that was never written says what the volume's own blocks are: nothing else may be in use.
        if hasGroupChecksums, descriptor.flags & GroupDescriptor.Flags.blocksUninitialised != 0 {
            return count - used
        }
        guard
            let bitmap = try sink.attempt({ () throws(StorageError) in try view.block(descriptor.blockBitmap)
            })
        else { return count - used }
        if geometry.hasMetadataChecksums {
            let bytes = Int(geometry.clustersPerGroup / 8)
            let sum = geometry.checksum(bitmap.span8.extracting(0..<bytes))
            if sum & descriptor.bitmapChecksumMask != descriptor.blockBitmapChecksum {
                badChecksum("block", descriptor, descriptor.blockBitmap)
            }
        }
        compare(
            bitmap, expected.bytes, .blockBitmap, "block bitmap of group \(descriptor.group)",
            descriptor.blockBitmap)
        return count - used
    }

    /// Returns the group's free inodes, as found.
    private func checkInodeBitmap(_ descriptor: GroupDescriptor) throws(StorageError) -> UInt64 {
        let count = UInt64(geometry.inodesPerGroup)
        let group = descriptor.group
        // Small groups: the reserved inodes may reach into the next.
        let before = group * UInt64(geometry.inodesPerGroup)
        let reserved = UInt64(geometry.firstInode - 1) - min(UInt64(geometry.firstInode - 1), before)
        let expected = expectedBitmap(count: count, padded: count) { byte in
            (0..<8).reduce(UInt8(0)) { bits, bit in
                let index = Int(byte) * 8 + bit
                guard index < Int(count) else { return bits }
                let isUsed =
                    index < Int(reserved) || self.ledger.isUsed(group: group, index: index)
                    || self.isInBadBlock(UInt32(truncatingIfNeeded: before) &+ UInt32(index) &+ 1)
                return isUsed ? bits | 1 << UInt8(bit) : bits
            }
        }
        if hasGroupChecksums, descriptor.flags & GroupDescriptor.Flags.inodesUninitialised != 0 {
            return count - expected.used
        }
        guard
            let bitmap = try sink.attempt({ () throws(StorageError) in try view.block(descriptor.inodeBitmap)
            })
        else { return count - expected.used }
        if geometry.hasMetadataChecksums {
            let sum = geometry.checksum(bitmap.span8.extracting(0..<Int(count / 8)))
            if sum & descriptor.bitmapChecksumMask != descriptor.inodeBitmapChecksum {
                badChecksum("inode", descriptor, descriptor.inodeBitmap)
            }
        }
        compare(
            bitmap, expected.bytes, .inodeBitmap, "inode bitmap of group \(group)", descriptor.inodeBitmap)
        return count - expected.used
    }

    /// A whole block of bits as they should be: `count` by `byte`, ones behind. `used` counts among the `count`.
    private func expectedBitmap(
        count: UInt64, padded: UInt64, _ byte: (UInt64) -> UInt8
    ) -> (bytes: [UInt8], used: UInt64) {
        var bytes = [UInt8](repeating: 0xff, count: geometry.blockSize)
        var used: UInt64 = 0
        for index in 0..<count.dividedRoundingUp(by: 8) {
            var value = byte(index)
            let valid = min(8, count - index * 8)
            let mask: UInt8 = valid == 8 ? 0xff : (1 << UInt8(valid)) - 1
            value &= mask
            used += UInt64(value.nonzeroBitCount)
            bytes[Int(index)] = value | ~mask
        }
        return (bytes, used)
    }

    private func compare(
        _ found: [UInt8], _ expected: [UInt8], _ code: CheckCode, _ what: String, _ block: BlockNumber
    ) {
        guard found != expected else { return }
        var missing = 0
        var surplus = 0
        for (one, two) in zip(found, expected) {
            missing += (~one & two).nonzeroBitCount
            surplus += (one & ~two).nonzeroBitCount
        }
        sink.add(
            code, "the \(what) lacks \(missing) bits and has \(surplus) too many", structure: "bitmap",
            offset: geometry.byteOffset(of: block))
    }

    private func badChecksum(_ what: String, _ descriptor: GroupDescriptor, _ block: BlockNumber) {
        sink.add(
            Finding(
                .damage, Ext4Code.bitmapChecksum,
                "the checksum of the \(what) bitmap of group \(descriptor.group) is wrong",
                structure: "bitmap", offset: geometry.byteOffset(of: block)))
    }
}
