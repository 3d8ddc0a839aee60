package import Storage

/// The volume as the transaction will leave it.
extension Ext4Transaction {
    /// By blkid's rule.
    package var kind: VolumeIdentity.Kind { superblock.kind }

    /// Inode 2.
    package var rootDirectory: FileID { FileID(UInt64(InodeNumber.root.rawValue)) }

    /// The file called `name` in `directory`, or nil.
    package func lookUp(_ name: [UInt8], in directory: FileID) throws(StorageError) -> FileID? {
        try file(named: name, in: directory)
    }

    /// Lists a directory in the order in which its blocks hold the entries.
    package func forEachEntry(
        of directory: FileID, _ body: (DirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        try forEachFile(of: directory, body)
    }

    /// What stat tells.
    package func attributes(of file: FileID) throws(StorageError) -> FileAttributes {
        try attributes(of: inode(file))
    }

    /// Reads a regular file's contents; refuses encrypted ones.
    package func read(
        _ file: FileID, into target: inout MutableRawSpan, at offset: UInt64
    ) throws(StorageError) -> Int {
        try readContents(of: file, into: &target, at: offset)
    }

    /// Where a symbolic link points.
    package func symbolicLinkTarget(of file: FileID) throws(StorageError) -> [UInt8] {
        try symbolicLinkTarget(of: inode(file))
    }

    /// The attributes that listxattr(2) shows, ACLs in getxattr's form.
    package func extendedAttributes(of file: FileID) throws(StorageError) -> [ExtendedAttribute] {
        try extendedAttributes(of: inode(file))
    }
}
