internal import Storage

extension VolumeView {
    /// Where an inode's record lies.
    func inodePosition(_ number: InodeNumber) throws(StorageError) -> (block: BlockNumber, offset: Int) {
        guard number.rawValue > 0, number.rawValue <= geometry.inodeCount else {
            throw .ext4(
                .corrupt, .badInodeNumber,
                "there is no inode \(number.rawValue); the volume has \(geometry.inodeCount)")
        }
        let (group, index) = geometry.position(of: number)
        let (blockIndex, slot) = UInt64(index).quotientAndRemainder(dividingBy: geometry.inodesPerBlock)
        let table = try inodeTable(group)
        return (table.advanced(by: blockIndex), Int(slot) * geometry.inodeSize)
    }

    private func inodeTable(_ group: UInt64) throws(StorageError) -> BlockNumber {
        guard let known else { return try descriptor(group).inodeTable }
        if let table = known.table(group) { return table }
        let age = known.age
        let table = try descriptor(group).inodeTable
        known.keep(table: table, of: group, age: age)
        return table
    }

    /// An inode's record as the table has it, unchecked.
    func rawInode(_ number: InodeNumber) throws(StorageError) -> Inode {
        let (block, offset) = try inodePosition(number)
        let bytes = try self.block(block)
        return Inode(
            number: number, block: block, offset: offset,
            bytes: Array(bytes[offset..<offset + geometry.inodeSize]))
    }

    /// Reads an inode and checks it.
    func inode(_ number: InodeNumber) throws(StorageError) -> Inode {
        // The log's own checksum covers a record from a fast commit.
        if let changed = fastCommits?.inodes[number.rawValue] { return changed }
        if let inode = known?.inode(number) { return inode }
        let age = known?.age
        let inode = try rawInode(number)
        let position = geometry.byteOffset(of: inode.block) + UInt64(inode.offset)
        let extra = inode.extraSize
        guard 128 + extra <= geometry.inodeSize, extra % 4 == 0 else {
            throw .ext4(
                .corrupt, .badInode, "\(inode.name) claims \(extra) extra bytes; run e2fsck",
                structure: "inode", field: "i_extra_isize", offset: position)
        }
        if geometry.hasMetadataChecksums, inode.computedChecksum(geometry) != inode.storedChecksum,
            !inode.bytes.span8.isAllZero
        {
            try checksumFailure(
                .inodeChecksum, "the checksum of \(inode.name) is wrong; run e2fsck", structure: "inode",
                offset: position)
            return inode
        }
        if let age { known?.keep(inode, age: age) }
        return inode
    }

    /// What stat tells of an inode.
    func attributes(of inode: Inode) throws(StorageError) -> FileAttributes {
        guard let type = inode.type else {
            throw .ext4(
                .corrupt, .badInode, "\(inode.name) is unused or of no known type (mode \(inode.mode.hex))",
                structure: "inode", field: "i_mode",
                offset: geometry.byteOffset(of: inode.block) + UInt64(inode.offset))
        }
        try requirePossibleSize(inode)
        let isDevice = type == .characterDevice || type == .blockDevice
        return FileAttributes(
            type: type, permissions: inode.mode & 0xfff, owner: inode.owner, group: inode.group,
            linkCount: UInt32(inode.linkCount), size: inode.size(geometry),
            allocatedByteCount: inode.allocatedByteCount(geometry), accessTime: inode.accessTime,
            modificationTime: inode.modificationTime, changeTime: inode.changeTime,
            creationTime: inode.creationTime, deviceNumber: isDevice ? inode.deviceNumber : nil)
    }

    /// A regular file's size must be one that its map can reach: block numbers within a file have 32 bits
    /// (ext4_extent.ee_block). Whoever copies a file would be busy for years with what a damaged size claims.
    func requirePossibleSize(_ inode: Inode) throws(StorageError) {
        guard inode.type == .regular, inode.size(geometry) > UInt64(geometry.blockSize) << 32 else { return }
        throw .ext4(
            .corrupt, .badInode, "\(inode.name) claims \(inode.size(geometry)) bytes; run e2fsck",
            structure: "inode", field: "i_size",
            offset: geometry.byteOffset(of: inode.block) + UInt64(inode.offset))
    }
}
