internal import Storage

extension VolumeView {
    /// Reads an inode in use and checks its checksum, its number and its sizes.
    func inode(_ number: InodeNumber) throws(StorageError) -> Inode { try usedInode(number) }

    /// An inode in use, as `inode` reads it.
    func usedInode(_ number: InodeNumber) throws(StorageError) -> Inode {
        let inode = try rawInode(number)
        guard inode.mode != 0 else {
            throw .xfs(
                .corrupt, .freeInode, "\(inode.name) is needed and is not in use; run xfs_repair",
                structure: "inode", field: "di_mode", offset: inode.position)
        }
        if let field = inode.defect {
            throw .xfs(
                .corrupt, .badInode, "\(inode.name) contradicts itself; run xfs_repair", structure: "inode",
                field: field, offset: inode.position)
        }
        return inode
    }

    /// Reads an inode, in use or not.
    func rawInode(_ number: InodeNumber) throws(StorageError) -> Inode {
        guard geometry.contains(number) else {
            throw .xfs(
                .corrupt, .badInodeNumber,
                "inode \(number.rawValue) is needed and does not exist; run xfs_repair"
            )
        }
        let block = geometry.block(of: number)
        let start = geometry.offset(of: number)
        let bytes = try self.block(block)
        let inode = Inode(
            number: number, position: geometry.position(of: block) + UInt64(start),
            bytes: Array(bytes[start..<start + geometry.inodeSize]))
        guard inode.bytes.big(0, as: UInt16.self) == Inode.magic,
            geometry.hasChecksums ? inode.version == 3 : (1...2).contains(inode.version)
        else {
            throw .xfs(
                .corrupt, .badInode, "there is no inode where \(inode.name) should be; run xfs_repair",
                structure: "inode", field: "di_magic", offset: inode.position)
        }
        guard inode.version == 3 else { return inode }
        if !Checksum.holds(in: inode.bytes, at: Inode.Offset.checksum) {
            try checksumFailure(
                .inodeChecksum, "the checksum of \(inode.name) is wrong; run xfs_repair", structure: "inode",
                offset: inode.position)
        }
        guard inode.bytes.big(Inode.Offset.number) == number.rawValue,
            inode.bytes[Inode.Offset.uuid..<Inode.Offset.uuid + 16].elementsEqual(geometry.blockUUID)
        else {
            throw .xfs(
                .corrupt, .badInode, "another inode lies where \(inode.name) should be; run xfs_repair",
                structure: "inode", field: "di_ino", offset: inode.position)
        }
        return inode
    }

    /// What stat tells.
    func attributes(of inode: Inode) throws(StorageError) -> FileAttributes {
        guard let type = inode.type else {
            throw .xfs(
                .corrupt, .badInode, "\(inode.name) is of no type", structure: "inode", field: "di_mode",
                offset: inode.position)
        }
        return FileAttributes(
            type: type, permissions: inode.mode & 0xfff, owner: inode.bytes.big(Inode.Offset.owner),
            group: inode.bytes.big(Inode.Offset.group), linkCount: inode.linkCount, size: inode.size,
            allocatedByteCount: inode.blockCount *? UInt64(geometry.blockSize) ?? .max,
            accessTime: inode.time(Inode.Offset.accessTime),
            modificationTime: inode.time(Inode.Offset.modificationTime),
            changeTime: inode.time(Inode.Offset.changeTime),
            creationTime: inode.version == 3 ? inode.time(Inode.Offset.creationTime) : nil,
            deviceNumber: inode.deviceNumber,
            kept: inode.version == 3 ? AttributeSet.posix.union(.creationTime) : .posix)
    }
}
