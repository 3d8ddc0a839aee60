package import Storage

/// The volume as the transaction will leave it.
extension XFSTransaction {
    /// XFS.
    package var kind: VolumeIdentity.Kind { .xfs }

    /// sb_rootino.
    package var rootDirectory: FileID { FileID(geometry.rootInode.rawValue) }

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

    /// Reads a regular file's contents.
    package func read(
        _ file: FileID, into target: inout MutableRawSpan, at offset: UInt64
    ) throws(StorageError) -> Int {
        try read(inode(file), into: &target, at: offset)
    }

    /// Where a symbolic link points.
    package func symbolicLinkTarget(of file: FileID) throws(StorageError) -> [UInt8] {
        try symbolicLinkTarget(of: inode(file))
    }

    /// The attributes that listxattr(2) shows to root.
    package func extendedAttributes(of file: FileID) throws(StorageError) -> [ExtendedAttribute] {
        try extendedAttributes(of: inode(file))
    }
}
