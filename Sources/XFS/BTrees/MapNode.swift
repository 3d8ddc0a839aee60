internal import Storage

/// A node of the tree that a long file map is: the root in the inode, or a block. Level 0 holds extents.
struct MapNode: Sendable {
    static let magic: UInt32 = 0x424d_4150
    static let checkedMagic: UInt32 = 0x424d_4133
    /// XFS_BM_MAXLEVELS is far below; a root that claims more is damaged.
    static let maximumLevel = 12

    let bytes: [UInt8]
    let level: Int
    let count: Int
    /// Where records or keys begin.
    let start: Int
    /// Where pointers begin.
    let pointers: Int

    /// The first block of the file below entry `index`.
    func key(_ index: Int) -> UInt64 { bytes.big(start + index * 8) }
    func pointer(_ index: Int) -> FSBlock { FSBlock(bytes.big(pointers + index * 8)) }
    /// The neighbours of a block.
    var left: FSBlock { FSBlock(bytes.big(8)) }
    var right: FSBlock { FSBlock(bytes.big(16)) }
    static let noBlock = FSBlock(.max)
}

extension VolumeView {
    /// Bytes of a map block's header.
    var mapHeaderSize: Int { geometry.hasChecksums ? 72 : 24 }
    /// Records, or keys, of a map block.
    var mapBlockCapacity: Int { (geometry.blockSize - mapHeaderSize) / 16 }

    /// The root (struct xfs_bmdr_block): level, count, keys, and pointers behind as many keys as there is room for.
    func mapRoot(of inode: Inode, _ fork: Inode.Fork) throws(StorageError) -> MapNode {
        let range = inode.range(fork)
        let capacity = max(range.count - 4, 0) / 16
        guard capacity > 0 else { throw badMap(inode, inode.position) }
        let bytes = Array(inode.bytes[range])
        let level = Int(bytes.big(0, as: UInt16.self))
        let count = Int(bytes.big(2, as: UInt16.self))
        guard (1...MapNode.maximumLevel).contains(level), (1...capacity).contains(count) else {
            throw badMap(inode, inode.position)
        }
        return MapNode(bytes: bytes, level: level, count: count, start: 4, pointers: 4 + capacity * 8)
    }

    /// A block of the tree, which has to be of that level: levels fall, so that no walk goes in circles.
    func mapNode(_ number: FSBlock, of inode: Inode, level: Int) throws(StorageError) -> MapNode {
        let bytes = try block(number)
        let position = geometry.position(of: number)
        let magic: UInt32 = bytes.big(0)
        let count = Int(bytes.big(6, as: UInt16.self))
        guard magic == (geometry.hasChecksums ? MapNode.checkedMagic : MapNode.magic),
            Int(bytes.big(4, as: UInt16.self)) == level, (1...mapBlockCapacity).contains(count)
        else { throw badMap(inode, position) }
        try verify(
            bytes, .longTree, owner: inode.number.rawValue, at: position, code: .badMap,
            checksumCode: .treeChecksum, structure: "map block")
        let node = MapNode(
            bytes: bytes, level: level, count: count, start: mapHeaderSize,
            pointers: mapHeaderSize + mapBlockCapacity * 8)
        let hasNeighbours = [node.left, node.right].allSatisfy {
            $0 == MapNode.noBlock || $0 != number && geometry.contains($0, count: 1)
        }
        guard hasNeighbours else { throw badMap(inode, position) }
        return node
    }

    func badMap(_ inode: Inode, _ position: UInt64) -> StorageError {
        .xfs(
            .corrupt, .badMap, "the map of \(inode.name) is damaged; run xfs_repair", structure: "map block",
            offset: position)
    }
}
