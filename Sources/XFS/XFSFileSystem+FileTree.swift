package import Storage

extension XFSFileSystem {
    /// Kind, UUID, label, sizes.
    package var identity: VolumeIdentity { superblock.identity ?? VolumeIdentity(kind: .xfs) }

    /// Every change, where no feature and no dirty log forbids writing.
    package var capabilities: Capabilities {
        do throws(StorageError) {
            try requireWritable()
        } catch {
            return Capabilities(restriction: error.message)
        }
        guard !isReplayed else {
            return Capabilities(restriction: "the log has changes to replay, so the volume is not written")
        }
        var capabilities = XFSDriver.capabilities
        if geometry.foldsCase {
            capabilities.foldsCase = true
            capabilities.changes.subtract([.names, .links, .nodes])
            capabilities.restriction = "its names are found whatever their case, and are not changed here"
        }
        return capabilities
    }

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

    /// The attributes that listxattr(2) shows to root, access control lists under both of their names.
    package func extendedAttributes(of file: FileID) throws(StorageError) -> [ExtendedAttribute] {
        try extendedAttributes(of: inode(file))
    }

    /// Where a regular file's bytes lie; `memory` where the log has newer ones.
    package func nextExtent(of file: FileID, at offset: UInt64) throws(StorageError) -> Extent {
        let inode = try inode(file)
        guard inode.type == .regular else {
            throw .xfs(.misuse, .notARegularFile, "\(inode.name) is not a regular file")
        }
        guard offset < inode.size else {
            throw .xfs(.misuse, .blockOutOfRange, "byte \(offset) is past the end of \(inode.name)")
        }
        let blockSize = UInt64(geometry.blockSize)
        let run = try run(of: inode, at: offset / blockSize)
        let end = min(inode.size, run.end *? blockSize ?? .max)
        guard case .written(let first) = run.place else { return Extent(range: offset..<end, kind: .zero) }
        let position = geometry.position(of: first) + offset % blockSize
        guard isReplayed else {
            return Extent(range: offset..<end, kind: .plain(file: 0, offset: position))
        }
        let place = try store.device.nextExtent(at: position)
        let count = min(end - offset, place.range.upperBound - position)
        return Extent(
            range: offset..<offset + count,
            kind: place.kind == .memory ? .memory : .plain(file: 0, offset: position))
    }
}

/// What `FileTree` asks of the file system and of a transaction. A file's key is its inode's number.
extension VolumeView {
    /// The file called `name` in `directory`, or nil.
    func file(named name: [UInt8], in directory: FileID) throws(StorageError) -> FileID? {
        try find(name, in: inode(directory)).map { FileID($0.rawValue) }
    }

    /// Lists a directory.
    func forEachFile(
        of directory: FileID, _ body: (DirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        try forEachName(of: inode(directory)) { (entry) throws(StorageError) in
            try body(
                DirectoryEntry(name: entry.name, file: FileID(entry.inode.rawValue), type: entry.type))
        }
    }

    /// The inode behind a file's key.
    func inode(_ file: FileID) throws(StorageError) -> Inode { try inode(InodeNumber(file.rawValue)) }
}
