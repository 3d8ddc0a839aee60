package import Storage

extension Ext4FileSystem {
    /// Kind by blkid's rule, UUID, label, sizes.
    package var identity: VolumeIdentity { superblock.identity }

    /// Everything, where no feature forbids writing.
    package var capabilities: Capabilities {
        do throws(StorageError) {
            try requireWritableFeatures()
            return Ext4Driver.capabilities
        } catch {
            return Capabilities(restriction: error.message)
        }
    }

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

    /// Where a regular file's bytes lie; `computed` where only `read` can tell (contents in the inode).
    package func nextExtent(of file: FileID, at offset: UInt64) throws(StorageError) -> Extent {
        let inode = try inode(file)
        try requireReadable(inode)
        let size = inode.size(geometry)
        guard offset < size else {
            throw .ext4(.misuse, .blockOutOfRange, "byte \(offset) is past the end of \(inode.name)")
        }
        guard !inode.flags.contains(.inlineData) else { return Extent(range: offset..<size, kind: .computed) }
        let blockSize = UInt64(geometry.blockSize)
        let run = try run(of: inode, at: offset / blockSize)
        let end = min(size, run.end *? blockSize ?? size)
        guard case .written(let first) = run.place else { return Extent(range: offset..<end, kind: .zero) }
        let position = geometry.byteOffset(of: first) + offset % blockSize
        let place = try currentPlace(of: position, count: end - offset)
        return Extent(range: offset..<offset + place.count, kind: place.kind)
    }
}
