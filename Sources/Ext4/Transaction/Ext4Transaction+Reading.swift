package import Storage

/// The volume as the transaction will leave it.
extension Ext4Transaction {
    /// The contents that a regular file has within the transaction, at most 64 MiB.
    package func contents(of file: FileID) throws(StorageError) -> [UInt8] {
        let inode = try inode(file)
        try requireReadable(inode)
        let size = inode.size(geometry)
        guard size <= 64 << 20 else {
            throw .ext4(
                .refused, .fileTooLong, "\(inode.name) has \(size) bytes, more than are read at once")
        }
        var result = [UInt8](repeating: 0, count: Int(size))
        _ = try result.withMutableBytes { (span) throws(StorageError) in try read(inode, into: &span, at: 0) }
        return result
    }

    /// Looks a name up within the transaction.
    package func lookUp(_ name: [UInt8], in directory: FileID) throws(StorageError) -> FileID? {
        try find(name, in: inode(directory)).map { FileID(UInt64($0.inode.rawValue)) }
    }

    /// What stat tells within the transaction.
    package func attributes(of file: FileID) throws(StorageError) -> FileAttributes {
        try attributes(of: inode(file))
    }

    /// The names of a directory within the transaction.
    package func entries(of directory: FileID) throws(StorageError) -> [DirectoryEntry] {
        var result: [DirectoryEntry] = []
        let dot = UInt8(ascii: ".")
        try forEachRawEntry(of: inode(directory)) { (block, entry) throws(StorageError) in
            let name = block.name(of: entry)
            if name != [dot], name != [dot, dot] {
                result.append(
                    DirectoryEntry(name: name, file: FileID(UInt64(entry.inode)), type: entry.type))
            }
            return true
        }
        return result
    }

    /// Where a symbolic link points within the transaction.
    package func symbolicLinkTarget(of file: FileID) throws(StorageError) -> [UInt8] {
        try symbolicLinkTarget(of: inode(file))
    }

    /// All extended attributes within the transaction, ACLs in getxattr's form.
    package func extendedAttributes(of file: FileID) throws(StorageError) -> [ExtendedAttribute] {
        try extendedAttributes(of: inode(file))
    }
}
