internal import Storage

/// A state of the volume as a tree of files: what `FileTree` asks of the file system and of a transaction. A file's key
/// is its inode's number.
extension VolumeView {
    /// The file called `name` in `directory`, or nil.
    func file(named name: [UInt8], in directory: FileID) throws(StorageError) -> FileID? {
        try find(name, in: inode(directory)).map { FileID(UInt64($0.inode.rawValue)) }
    }

    /// Lists a directory in the order in which its blocks hold the entries.
    func forEachFile(
        of directory: FileID, _ body: (DirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        try forEachName(of: inode(directory), body)
    }

    /// Reads a regular file's contents; refuses encrypted ones.
    func readContents(
        of file: FileID, into target: inout MutableRawSpan, at offset: UInt64
    ) throws(StorageError) -> Int {
        let inode = try inode(file)
        try requireReadable(inode)
        return try read(inode, into: &target, at: offset)
    }

    /// The inode behind a file's key.
    func inode(_ file: FileID) throws(StorageError) -> Inode {
        guard let number = UInt32(exactly: file.rawValue) else {
            throw .ext4(.misuse, .badInodeNumber, "there is no inode \(file.rawValue)")
        }
        return try inode(InodeNumber(number))
    }
}
