internal import Storage

/// The trees of an allocation group.
enum GroupTree: Sendable, CaseIterable {
    /// Free space by place, and by length.
    case freeByBlock, freeByCount
    /// Inodes in chunks of 64, and those chunks that have free ones.
    case inodes, freeInodes
    /// Who owns which blocks.
    case reverseMap
    /// Blocks that several files share.
    case references

    /// Magic numbers without checksums and with them.
    var magics: (plain: UInt32, checked: UInt32) {
        switch self {
        case .freeByBlock: (0x4142_5442, 0x4142_3342)
        case .freeByCount: (0x4142_5443, 0x4142_3343)
        case .inodes: (0x4941_4254, 0x4941_4233)
        case .freeInodes: (0x4649_4254, 0x4649_4233)
        case .reverseMap: (0, 0x524d_4233)
        case .references: (0, 0x5233_4643)
        }
    }

    var recordByteCount: Int {
        switch self {
        case .freeByBlock, .freeByCount: 8
        case .inodes, .freeInodes: 16
        case .reverseMap: 24
        case .references: 12
        }
    }

    /// Of what stands for a child: the reverse map has its lowest and highest record.
    var keyByteCount: Int {
        switch self {
        case .freeByBlock, .freeByCount: 8
        case .inodes, .freeInodes, .references: 4
        case .reverseMap: 40
        }
    }

    var name: String {
        switch self {
        case .freeByBlock: "free space tree by block"
        case .freeByCount: "free space tree by length"
        case .inodes: "inode tree"
        case .freeInodes: "free inode tree"
        case .reverseMap: "reverse map"
        case .references: "reference count tree"
        }
    }

    func exists(in geometry: Geometry) -> Bool {
        switch self {
        case .freeByBlock, .freeByCount, .inodes: true
        case .freeInodes: geometry.readOnly.contains(.freeInodeTree)
        case .reverseMap: geometry.readOnly.contains(.reverseMap)
        case .references: geometry.readOnly.contains(.sharedBlocks)
        }
    }
}

/// A block of a group's tree.
struct GroupTreeNode: Sendable {
    static let maximumLevelCount = 12
    static let countOffset = 6
    static let leftOffset = 8
    static let rightOffset = 12

    let kind: GroupTree
    let group: AGNumber
    let block: AGBlock
    let bytes: [UInt8]
    let level: Int
    let count: Int
    /// Where records or keys begin.
    let start: Int
    let pointers: Int

    func recordOffset(_ index: Int) -> Int { start + index * kind.recordByteCount }
    func pointer(_ index: Int) -> AGBlock { AGBlock(bytes.big(pointers + index * 4)) }

    /// Whether all records of a leaf are of blocks that a group of this length has, its head apart, which the reverse map
    /// alone knows: sums of them do not overflow then. Those of inodes are looked at where they are used.
    fileprivate func holdsBlocks(of length: UInt32, head: UInt32) -> Bool {
        guard level == 0, kind != .inodes, kind != .freeInodes else { return true }
        // The highest bit of a count of references is a flag.
        let lowest = kind == .reverseMap ? 0 : head
        let mask: UInt32 = kind == .references ? 0x7fff_ffff : .max
        for index in 0..<count {
            let record = recordOffset(index)
            let first = bytes.big(record, as: UInt32.self) & mask
            let blocks: UInt32 = bytes.big(record + 4)
            guard blocks > 0, first >= lowest, first < length, blocks <= length - first else { return false }
        }
        return true
    }
}

extension VolumeView {
    var groupTreeHeaderSize: Int { geometry.hasChecksums ? 56 : 16 }

    /// Records of a leaf, or keys of a block above.
    func capacity(of kind: GroupTree, level: Int) -> Int {
        (geometry.blockSize - groupTreeHeaderSize)
            / (level == 0 ? kind.recordByteCount : kind.keyByteCount + 4)
    }

    /// A block of a tree, which has to be of that level: levels fall, so that no walk goes in circles.
    func treeNode(
        _ number: AGBlock, of kind: GroupTree, in group: AGNumber, level: Int
    ) throws(StorageError) -> GroupTreeNode {
        guard geometry.contains(geometry.block(number, in: group), count: 1),
            number.rawValue < geometry.blockCount(of: group)
        else {
            throw badTree(kind, group, geometry.position(ofSector: 1, in: group))
        }
        let block = geometry.block(number, in: group)
        let bytes = try self.block(block)
        let position = geometry.position(of: block)
        let count = Int(bytes.big(GroupTreeNode.countOffset, as: UInt16.self))
        let capacity = capacity(of: kind, level: level)
        guard bytes.big(0) == (geometry.hasChecksums ? kind.magics.checked : kind.magics.plain),
            Int(bytes.big(4, as: UInt16.self)) == level, count <= capacity, level == 0 || count > 0
        else { throw badTree(kind, group, position) }
        try verify(
            bytes, .shortTree, owner: UInt64(group.rawValue), at: position, code: .badTree,
            checksumCode: .treeChecksum, structure: kind.name)
        let node = GroupTreeNode(
            kind: kind, group: group, block: number, bytes: bytes, level: level, count: count,
            start: groupTreeHeaderSize,
            pointers: groupTreeHeaderSize + capacity * kind.keyByteCount)
        let length = geometry.blockCount(of: group)
        let hasNeighbours = [node.left, node.right].allSatisfy {
            $0 == .none || $0 != number && (geometry.headBlockCount..<length).contains($0.rawValue)
        }
        guard hasNeighbours, node.holdsBlocks(of: length, head: geometry.headBlockCount) else {
            throw badTree(kind, group, position)
        }
        return node
    }

    /// All leaves of a tree from the left, and the blocks of the tree.
    func forEachLeaf(
        of kind: GroupTree, in headers: GroupHeaders,
        node visit: (GroupTreeNode) throws(StorageError) -> Void = { (_) throws(StorageError) in },
        _ body: (GroupTreeNode) throws(StorageError) -> Void
    ) throws(StorageError) {
        let (root, levels) = headers.root(kind)
        guard (1...GroupTreeNode.maximumLevelCount).contains(levels) else {
            throw badTree(kind, headers.group, geometry.position(ofSector: 1, in: headers.group))
        }
        var walk = Walk(left: geometry.blockCount(of: headers.group))
        try forEachLeaf(below: root, level: levels - 1, of: kind, in: headers.group, &walk, visit, body)
        guard walk.neighbours.isComplete else {
            throw badTree(kind, headers.group, geometry.position(ofSector: 1, in: headers.group))
        }
    }

    private func forEachLeaf(
        below number: AGBlock, level: Int, of kind: GroupTree, in group: AGNumber, _ walk: inout Walk,
        _ visit: (GroupTreeNode) throws(StorageError) -> Void,
        _ body: (GroupTreeNode) throws(StorageError) -> Void
    ) throws(StorageError) {
        let node = try treeNode(number, of: kind, in: group, level: level)
        guard walk.take(node) else {
            throw badTree(kind, group, geometry.position(of: geometry.block(number, in: group)))
        }
        try visit(node)
        guard level > 0 else { return try body(node) }
        try Cancellation.check()
        for index in 0..<node.count {
            try forEachLeaf(
                below: node.pointer(index), level: level - 1, of: kind, in: group, &walk, visit, body)
        }
    }

    func badTree(_ kind: GroupTree, _ group: AGNumber, _ position: UInt64) -> StorageError {
        .xfs(
            .corrupt, .badTree, "the \(kind.name) of group \(group.rawValue) is damaged; run xfs_repair",
            structure: kind.name, offset: position)
    }
}

/// A walk over a tree: no more blocks than its group has, and leaves that rise, so that one to which several pointers lead
/// ends it.
private struct Walk {
    var left: UInt32
    var last: (first: TreeRecordKey, last: TreeRecordKey)?
    /// Blocks of each level as they follow each other.
    var neighbours = NeighbourWalk(AGBlock.none)
    private var count = 0

    init(left: UInt32) { self.left = left }

    /// False where the block cannot be the next one.
    mutating func take(_ node: GroupTreeNode) -> Bool {
        guard left > 0,
            neighbours.take(node.block, level: node.level, left: node.left, right: node.right)
        else { return false }
        left -= 1
        count += 1
        guard node.level == 0 else { return true }
        // A leaf is empty only where it is the whole tree.
        guard node.count > 0 else { return count == 1 }
        func key(_ index: Int) -> TreeRecordKey {
            TreeRecordKey(node.kind, node.bytes, at: node.recordOffset(index), isRecord: true)
        }
        let range = (first: key(0), last: key(node.count - 1))
        if let last, range.first <= last.first || range.first <= last.last { return false }
        last = range
        return true
    }
}
