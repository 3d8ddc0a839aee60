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
            return Capabilities(
                restriction:
                    "the log has changes to replay, so the volume is not written: start the guest once and shut it down"
            )
        }
        var capabilities = XFSDriver.capabilities
        if geometry.foldsCase {
            capabilities.foldsCase = true
            capabilities.changes.subtract([.names, .links, .nodes])
            capabilities.restriction = "its names are found whatever their case, and are not changed here"
        }
        return capabilities
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
