internal import Storage

/// A state of the volume as a tree of files: what `FileTree` asks, of the file system and of a transaction alike. A file's
/// key is its inode's number.
extension VolumeView {
    /// sb_rootino.
    package var rootDirectory: FileID { FileID(geometry.rootInode.rawValue) }

    /// The file called `name` in `directory`, or nil.
    package func lookUp(_ name: [UInt8], in directory: FileID) throws(StorageError) -> FileID? {
        try find(name, in: inode(directory)).map { FileID($0.rawValue) }
    }

    /// Lists a directory in the order in which its blocks hold the entries.
    package func forEachEntry(
        of directory: FileID, _ body: (DirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        try forEachName(of: inode(directory)) { (entry) throws(StorageError) in
            try body(
                DirectoryEntry(name: entry.name, file: FileID(entry.inode.rawValue), type: entry.type))
        }
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

    /// The attributes that listxattr(2) shows to root, access control lists under both of their names.
    package func extendedAttributes(of file: FileID) throws(StorageError) -> [ExtendedAttribute] {
        try extendedAttributes(of: inode(file))
    }

    /// The inode behind a file's key.
    func inode(_ file: FileID) throws(StorageError) -> Inode { try inode(InodeNumber(file.rawValue)) }
}
