internal import Storage

extension Ext4Transaction {
    /// Throws when an inode must not be changed at all, and why.
    func requireChangeable(_ inode: Inode) throws(StorageError) {
        guard inode.number == .root || inode.number.rawValue >= geometry.firstInode else {
            throw .ext4(
                .refused, .reservedInode, "\(inode.name) belongs to the file system itself and is not changed"
            )
        }
        guard inode.linkCount > 0, inode.type != nil else {
            // A name led here.
            throw .ext4(
                .corrupt, .badInodeNumber, "\(inode.name) has a name and is not in use; run e2fsck",
                structure: "inode", offset: geometry.byteOffset(of: inode.block) + UInt64(inode.offset))
        }
        if inode.flags.contains(.immutable) {
            throw .ext4(
                .refused, .immutable, "\(inode.name) is immutable; clear the flag in the guest with chattr -i"
            )
        }
        if inode.flags.contains(.appendOnly) {
            throw .ext4(
                .refused, .appendOnly, "\(inode.name) can only be appended to; clear the flag with chattr -a")
        }
        if !inode.flags.isDisjoint(with: [.snapshot, .attributeInode]) {
            throw .ext4(
                .refused, .reservedInode, "\(inode.name) belongs to the file system itself and is not changed"
            )
        }
    }

    /// Throws when an inode's contents must not be changed.
    func requireWritableContents(_ inode: Inode) throws(StorageError) {
        try requireChangeable(inode)
        guard inode.type == .regular else {
            throw .ext4(.misuse, .notARegularFile, "\(inode.name) is not a regular file")
        }
        try requirePossibleSize(inode)
        if inode.flags.contains(.encrypted) {
            throw .ext4(
                .refused, .encrypted,
                "\(inode.name) is encrypted (fscrypt); it cannot be written without its key")
        }
        if inode.flags.contains(.verity) {
            throw .ext4(
                .refused, .verity,
                "\(inode.name) is protected by fs-verity, which allows no change of contents")
        }
        if inode.flags.contains(.compressed) {
            throw .ext4(.refused, .compressed, "\(inode.name) is compressed; it cannot be written")
        }
    }

    /// i_size past 2 GiB needs a feature bit that old kernels look at.
    func noteSize(_ size: UInt64, of inode: Inode) throws(StorageError) {
        guard size > UInt64(Int32.max) else { return }
        guard geometry.revision > 0 else {
            throw .ext4(
                .refused, .fileTooLong,
                "\(inode.name) would exceed 2 GiB, which revision 0 of the format cannot say")
        }
        superblock.insert(.largeFiles)
    }
}
