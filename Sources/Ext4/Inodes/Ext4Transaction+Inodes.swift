internal import Storage

extension Ext4Transaction {
    /// Takes an inode, near `parent`, and returns its record: empty but for generation, times and extra size.
    func allocateInode(near parent: Inode, isDirectory: Bool) throws(StorageError) -> Inode {
        try requireNoQuota()
        let first = geometry.position(of: parent.number).group
        for step in 0..<geometry.groupCount {
            let group = (first + step) % geometry.groupCount
            guard try descriptor(group).freeInodeCount > 0 else { continue }
            guard let bit = try takeInode(from: group) else { continue }
            try noteAllocation(of: bit, in: group, isDirectory: isDirectory)
            let number = InodeNumber(UInt32(group) * geometry.inodesPerGroup + UInt32(bit) + 1)
            return try emptyInode(number)
        }
        throw .ext4(
            .refused, .noInodes, "the file system has no free inode; remove files that are not needed")
    }

    private func takeInode(from group: UInt64) throws(StorageError) -> Int? {
        // Taken out and put back, so that it is changed in its place.
        var bitmap = try inodeBitmap(group)
        inodeBitmaps[group] = nil
        defer { inodeBitmaps[group] = bitmap }
        let reserved = group == 0 ? Int(geometry.firstInode) - 1 : 0
        let bit = bitmap.run(of: 1, from: min(reserved, bitmap.count))?.lowerBound
        if let bit { bitmap.set(bit) }
        return bit
    }

    private func noteAllocation(of bit: Int, in group: UInt64, isDirectory: Bool) throws(StorageError) {
        var descriptor = try descriptor(group)
        let wasEmpty = descriptor.flags & GroupDescriptor.Flags.inodesUninitialised != 0
        descriptor.freeInodeCount -= 1
        if isDirectory { descriptor.usedDirectoryCount += 1 }
        if hasGroupFlags {
            let unused = Int(min(descriptor.unusedInodeCount, geometry.inodesPerGroup))
            let used = wasEmpty ? 0 : Int(geometry.inodesPerGroup) - unused
            if bit >= used {
                if !hasJournal, descriptor.flags & GroupDescriptor.Flags.inodesZeroed == 0 {
                    try clearInodes(bit..<endOfBlock(of: bit), of: group)
                }
                descriptor.unusedInodeCount = geometry.inodesPerGroup - UInt32(bit) - 1
            }
            if wasEmpty {
                descriptor.flags &= ~GroupDescriptor.Flags.inodesUninitialised
                // As the kernel does: a group with inodes has a block bitmap.
                if descriptor.flags & GroupDescriptor.Flags.blocksUninitialised != 0 {
                    var bitmap = try blockBitmap(group)
                    bitmap.markChanged()
                    blockBitmaps[group] = bitmap
                }
            }
        }
        try store(descriptor)
        freeInodeChange -= 1
    }

    /// The slot behind the last in the block of slot `bit`. Without a journal a block is written in several stages, and
    /// what the others will use must not come back in the first.
    private func endOfBlock(of bit: Int) -> Int {
        let perBlock = geometry.blockSize / geometry.inodeSize
        return min((bit / perBlock + 1) * perBlock, Int(geometry.inodesPerGroup))
    }

    /// Zeroes records that were never used.
    private func clearInodes(_ slots: Range<Int>, of group: UInt64) throws(StorageError) {
        for slot in slots {
            let (block, offset) = try inodePosition(
                InodeNumber(UInt32(group) * geometry.inodesPerGroup + UInt32(slot) + 1))
            var bytes = try self.block(block)
            bytes.withMutableBytes { $0.zero(offset..<offset + geometry.inodeSize) }
            try store(bytes, at: block, role: .inodes)
        }
    }

    private func emptyInode(_ number: InodeNumber) throws(StorageError) -> Inode {
        let (block, offset) = try inodePosition(number)
        var inode = Inode(
            number: number, block: block, offset: offset,
            bytes: [UInt8](repeating: 0, count: geometry.inodeSize))
        if geometry.inodeSize > 128 {
            inode.bytes.storeLittle(UInt16(newInodeExtraSize), at: Inode.Offset.extraSize)
        }
        inode.generation = nextGeneration
        nextGeneration &+= 1
        return inode
    }

    /// i_extra_isize of new inodes: 32, or more where the superblock wants it.
    private var newInodeExtraSize: Int {
        let wanted = Int(superblock.half(Superblock.Offset.wantExtraSize))
        guard geometry.readOnly.contains(.extraInodeSize), wanted > 32, wanted % 4 == 0,
            128 + wanted <= geometry.inodeSize
        else { return 32 }
        return wanted
    }

    /// Gives an inode back that no name counts any more, with everything that it holds.
    func freeInode(_ inode: inout Inode) throws(StorageError) {
        try requireNoQuota()
        try releaseAttributes(of: &inode)
        if hasMappedBlocks(inode) {
            let before = try map(of: inode)
            for run in before.runs { try free(run) }
            for block in before.treeBlocks { try free(Range(block, count: 1)) }
        }
        let isDirectory = inode.type == .directory
        inode.bytes.withMutableBytes { $0.zero(Inode.mapRange) }
        inode.flags.remove([.extents, .inlineData, .indexed, .hugeFile])
        inode.bytes.storeLittle(UInt32(0), at: Inode.Offset.sectorsLow)
        inode.bytes.storeLittle(UInt16(0), at: Inode.Offset.sectorsHigh)
        inode.setSize(0, geometry)
        inode.linkCount = 0
        let seconds = UInt32(clamping: now.seconds)
        inode.bytes.storeLittle(seconds == 0 ? 1 : seconds, at: Inode.Offset.deletionTime)
        touch(&inode, contents: false)
        try store(inode)
        try noteFreed(inode)

        let (group, bit) = geometry.position(of: inode.number)
        var bitmap = try inodeBitmap(group)
        inodeBitmaps[group] = nil
        defer { inodeBitmaps[group] = bitmap }
        guard bitmap.isSet(Int(bit)) else {
            throw .ext4(
                .corrupt, .bitmapDamaged,
                "\(inode.name) is in use and the inode bitmap calls it free; run e2fsck",
                structure: "inode bitmap")
        }
        bitmap.clear(Int(bit))
        var descriptor = try descriptor(group)
        descriptor.freeInodeCount += 1
        if isDirectory, descriptor.usedDirectoryCount > 0 { descriptor.usedDirectoryCount -= 1 }
        try store(descriptor)
        freeInodeChange += 1
    }

    /// Whether i_block is a map: not inline data, a short link's target or a device number.
    func hasMappedBlocks(_ inode: Inode) -> Bool {
        switch inode.type {
        case .regular, .directory: !inode.flags.contains(.inlineData)
        case .symbolicLink: !inode.flags.contains(.inlineData) && !isFastSymbolicLink(inode)
        default: false
        }
    }
}
