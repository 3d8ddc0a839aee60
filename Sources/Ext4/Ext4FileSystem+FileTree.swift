package import Storage

extension Ext4FileSystem {
    /// Kind by blkid's rule, UUID, label, sizes.
    package var identity: VolumeIdentity { superblock.identity }

    /// Everything, where no feature forbids writing, and the kernel has recorded no errors.
    package var capabilities: Capabilities {
        do throws(StorageError) {
            try requireWritableFeatures()
            try requireNoErrors(superblock)
            return Ext4Driver.capabilities
        } catch {
            return Capabilities(restriction: error.message)
        }
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
