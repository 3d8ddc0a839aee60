internal import Storage

/// A state of the volume as a tree of files: what `FileTree` asks, of the file system and of a transaction alike. A file's
/// key is its inode's number.
extension VolumeView {
    /// Inode 2.
    package var rootDirectory: FileID { FileID(UInt64(InodeNumber.root.rawValue)) }

    /// The file called `name` in `directory`, or nil.
    package func lookUp(_ name: [UInt8], in directory: FileID) throws(StorageError) -> FileID? {
        try find(name, in: inode(directory)).map { FileID(UInt64($0.inode.rawValue)) }
    }

    /// Lists a directory in the order in which its blocks hold the entries.
    package func forEachEntry(
        of directory: FileID, _ body: (DirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        try forEachName(of: inode(directory), body)
    }

    /// What stat tells.
    package func attributes(of file: FileID) throws(StorageError) -> FileAttributes {
        try attributes(of: inode(file))
    }

    /// Reads a regular file's contents; refuses encrypted ones.
    package func read(
        _ file: FileID, into target: inout MutableRawSpan, at offset: UInt64
    ) throws(StorageError) -> Int {
        let inode = try inode(file)
        try requireReadable(inode)
        return try read(inode, into: &target, at: offset)
    }

    /// Where a symbolic link points.
    package func symbolicLinkTarget(of file: FileID) throws(StorageError) -> [UInt8] {
        try symbolicLinkTarget(of: inode(file))
    }

    /// The attributes that listxattr(2) shows, ACLs in getxattr's form.
    package func extendedAttributes(of file: FileID) throws(StorageError) -> [ExtendedAttribute] {
        try extendedAttributes(of: inode(file))
    }

    /// The inode behind a file's key.
    func inode(_ file: FileID) throws(StorageError) -> Inode {
        guard let number = UInt32(exactly: file.rawValue) else {
            throw .ext4(.misuse, .badInodeNumber, "there is no inode \(file.rawValue)")
        }
        return try inode(InodeNumber(number))
    }
}
