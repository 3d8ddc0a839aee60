internal import Storage

/// A state of the volume: as it is on the device (with the log replayed in memory), or as a transaction will leave it.
/// Everything that understands a structure is written once, as an extension of this.
protocol VolumeView: FileTree {
    var geometry: Geometry { get }
    /// The superblock of this state.
    var superblock: Superblock { get }
    /// Metadata: a block, a block of a directory, or a sector of a group's head. The caller has checked that it lies in
    /// the volume.
    func buffer(at position: UInt64, count: Int) throws(StorageError) -> [UInt8]
    /// File data, past the cache. The caller has checked that all of it lies in the volume.
    func readData(into target: inout MutableRawSpan, at position: UInt64) throws(StorageError)
    /// Throws, or notes a warning when the user wants checksums ignored.
    func checksumFailure(
        _ code: XFSCode, _ message: String, structure: String, offset: UInt64
    ) throws(StorageError)
}

extension VolumeView {
    /// Where `count` blocks from `first` on lie; throws where they do not lie in one group of the volume.
    func position(of first: FSBlock, count: UInt64 = 1) throws(StorageError) -> UInt64 {
        guard geometry.contains(first, count: count) else {
            throw .xfs(
                .corrupt, .blockOutOfRange,
                "block \(first.rawValue) is needed (\(count) of them) and is not in the volume; run xfs_repair"
            )
        }
        return geometry.position(of: first)
    }

    /// A metadata block.
    func block(_ number: FSBlock) throws(StorageError) -> [UInt8] {
        try buffer(at: position(of: number), count: geometry.blockSize)
    }
}

/// Where a kind of block keeps what version 5 added to it.
struct BlockStamp: Sendable {
    let checksum: Int
    /// Its place on the device in units of 512 bytes.
    let place: Int
    let lsn: Int
    let uuid: Int
    let owner: Int
    /// 4 where the owner is a group, 8 where it is an inode.
    let ownerSize: Int

    /// Free space, inode, reverse map and reference trees.
    static let shortTree = BlockStamp(checksum: 52, place: 16, lsn: 24, uuid: 32, owner: 48, ownerSize: 4)
    /// Trees of file maps.
    static let longTree = BlockStamp(checksum: 64, place: 24, lsn: 32, uuid: 40, owner: 56, ownerSize: 8)
    /// Directory blocks: data and free space.
    static let directory = BlockStamp(checksum: 4, place: 8, lsn: 16, uuid: 24, owner: 40, ownerSize: 8)
    /// Nodes and leaves of names' hashes, and of attributes.
    static let hashTree = BlockStamp(checksum: 12, place: 16, lsn: 24, uuid: 32, owner: 48, ownerSize: 8)
    /// Values and link targets in blocks of their own.
    static let remote = BlockStamp(checksum: 12, place: 40, lsn: 48, uuid: 16, owner: 32, ownerSize: 8)
}

extension VolumeView {
    /// Checks what version 5 says of a block: checksum, place, volume and owner.
    func verify(
        _ bytes: [UInt8], _ stamp: BlockStamp, owner: UInt64, at position: UInt64, code: XFSCode,
        checksumCode: XFSCode, structure: String
    ) throws(StorageError) {
        guard geometry.hasChecksums else { return }
        let found: UInt64 =
            stamp.ownerSize == 8 ? bytes.big(stamp.owner) : UInt64(bytes.big(stamp.owner, as: UInt32.self))
        if !Checksum.holds(in: bytes, at: stamp.checksum) {
            try checksumFailure(
                checksumCode, "a checksum of a \(structure) is wrong; run xfs_repair", structure: structure,
                offset: position)
        }
        guard found == owner, bytes.big(stamp.place) == position / 512,
            bytes[stamp.uuid..<stamp.uuid + 16].elementsEqual(geometry.blockUUID)
        else {
            throw .xfs(
                .corrupt, code,
                "a \(structure) says that it belongs elsewhere (owner \(found), not \(owner)); run xfs_repair",
                structure: structure, offset: position)
        }
    }
}
