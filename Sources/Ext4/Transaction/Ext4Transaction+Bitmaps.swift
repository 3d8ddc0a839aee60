internal import Storage

extension Ext4Transaction {
    private var bitsPerBlock: Int { geometry.blockSize * 8 }

    /// Whether descriptors carry the flags of uninitialised groups.
    var hasGroupFlags: Bool {
        geometry.hasMetadataChecksums || geometry.readOnly.contains(.descriptorChecksums)
    }

    /// A group's block bitmap: from its block, or made up where it was never written.
    func blockBitmap(_ group: UInt64) throws(StorageError) -> GroupBitmap {
        if let held = blockBitmaps[group] { return held }
        let descriptor = try descriptor(group)
        let count = Int(geometry.blockCount(ofGroup: group))
        var bytes: [UInt8]
        if hasGroupFlags, descriptor.flags & GroupDescriptor.Flags.blocksUninitialised != 0 {
            bytes = [UInt8](repeating: 0, count: geometry.blockSize)
            let first = geometry.firstBlock(ofGroup: group)
            for part in try protectedZone().parts(of: Range(first, count: UInt64(count))) {
                let bit = Int(part.lowerBound.rawValue - first.rawValue)
                GroupBitmap.setBits(bit..<bit + Int(part.count), in: &bytes)
            }
        } else {
            bytes = try block(descriptor.blockBitmap)
            try check(
                bytes, length: Int(geometry.clustersPerGroup) / 8, against: descriptor.blockBitmapChecksum,
                of: descriptor, "block bitmap")
        }
        GroupBitmap.setBits(count..<bitsPerBlock, in: &bytes)
        let bitmap = GroupBitmap(bytes, count: count)
        guard bitmap.freeCount == Int(descriptor.freeBlockCount) else {
            throw badCount(group, "block", bitmap.freeCount, descriptor.freeBlockCount)
        }
        blockBitmaps[group] = bitmap
        return bitmap
    }

    /// A group's inode bitmap: from its block, or empty where it was never written.
    func inodeBitmap(_ group: UInt64) throws(StorageError) -> GroupBitmap {
        if let held = inodeBitmaps[group] { return held }
        let descriptor = try descriptor(group)
        let count = Int(geometry.inodesPerGroup)
        var bytes: [UInt8]
        if hasGroupFlags, descriptor.flags & GroupDescriptor.Flags.inodesUninitialised != 0 {
            bytes = [UInt8](repeating: 0, count: geometry.blockSize)
        } else {
            bytes = try block(descriptor.inodeBitmap)
            try check(
                bytes, length: count / 8, against: descriptor.inodeBitmapChecksum, of: descriptor,
                "inode bitmap")
        }
        GroupBitmap.setBits(count..<bitsPerBlock, in: &bytes)
        let bitmap = GroupBitmap(bytes, count: count)
        guard bitmap.freeCount == Int(descriptor.freeInodeCount) else {
            throw badCount(group, "inode", bitmap.freeCount, descriptor.freeInodeCount)
        }
        // Whoever believed the descriptor would take the records of files for empty ones.
        if hasGroupFlags {
            let unused = min(descriptor.unusedInodeCount, geometry.inodesPerGroup)
            guard !(count - Int(unused)..<count).contains(where: bitmap.isSet) else {
                throw .ext4(
                    .corrupt, .bitmapDamaged,
                    "group \(group) calls inodes never used that its bitmap calls in use; run e2fsck",
                    structure: "inode bitmap")
            }
        }
        inodeBitmaps[group] = bitmap
        return bitmap
    }

    private func check(
        _ bytes: [UInt8], length: Int, against stored: UInt32, of descriptor: GroupDescriptor, _ what: String
    ) throws(StorageError) {
        guard geometry.hasMetadataChecksums else { return }
        let sum = geometry.checksum(bytes.span8.extracting(0..<length)) & descriptor.bitmapChecksumMask
        guard sum == stored else {
            throw .ext4(
                .corrupt, .bitmapChecksum,
                "the checksum of group \(descriptor.group)'s \(what) is wrong; run e2fsck",
                structure: what)
        }
    }

    private func badCount(_ group: UInt64, _ what: String, _ found: Int, _ claimed: UInt32) -> StorageError {
        .ext4(
            .corrupt, .bitmapCount,
            "group \(group)'s \(what) bitmap has \(found) free and its descriptor says \(claimed); run e2fsck",
            structure: "\(what) bitmap")
    }

    /// Brings bitmaps, the checksums of bitmaps, and the counts of descriptors and superblock into the blocks to
    /// be written. The counts of descriptors were kept up as the bitmaps changed.
    func storeBitmaps() throws(StorageError) {
        for (group, bitmap) in blockBitmaps.sorted(by: { $0.key < $1.key }) where bitmap.isChanged {
            var descriptor = try descriptor(group)
            try store(bitmap.bytes, at: descriptor.blockBitmap, role: .bitmap)
            descriptor.flags &= ~GroupDescriptor.Flags.blocksUninitialised
            if geometry.hasMetadataChecksums {
                descriptor.blockBitmapChecksum = geometry.checksum(
                    bitmap.bytes.span8.extracting(0..<Int(geometry.clustersPerGroup) / 8))
            }
            try store(descriptor)
        }
        for (group, bitmap) in inodeBitmaps.sorted(by: { $0.key < $1.key }) where bitmap.isChanged {
            var descriptor = try descriptor(group)
            try store(bitmap.bytes, at: descriptor.inodeBitmap, role: .bitmap)
            descriptor.flags &= ~GroupDescriptor.Flags.inodesUninitialised
            if geometry.hasMetadataChecksums {
                descriptor.inodeBitmapChecksum = geometry.checksum(
                    bitmap.bytes.span8.extracting(0..<Int(geometry.inodesPerGroup) / 8))
            }
            try store(descriptor)
        }
        let blocks = Int64(clamping: superblock.freeBlockCount) + freeBlockChange
        let inodes = Int64(superblock.freeInodeCount) + freeInodeChange
        guard let freeBlocks = UInt64(exactly: blocks), let freeInodes = UInt32(exactly: inodes) else {
            throw .ext4(
                .corrupt, .bitmapCount,
                "the superblock counts fewer free blocks or inodes than the groups; run e2fsck",
                structure: "superblock")
        }
        superblock.freeBlockCount = freeBlocks
        superblock.freeInodeCount = freeInodes
        freeBlockChange = 0
        freeInodeChange = 0
    }
}
