internal import Storage

/// Trees that grow and shrink: blocks are split, joined and evened out, a root gets one above it or goes.
extension XFSTransaction {
    /// Makes room for one more in the block of `level` where a key belongs.
    func makeRoom(
        at level: Int, for key: TreeRecordKey, in kind: GroupTree, _ group: AGNumber
    ) throws(StorageError) {
        let path = try path(to: key, in: kind, headers(of: group))
        let depth = path.nodes.count - 1 - level
        guard depth >= 0 else { throw badTree(kind, group, geometry.position(ofSector: 1, in: group)) }
        let node = path.nodes[depth]
        guard node.count >= capacity(of: kind, level: level) else { return }
        if depth == 0 {
            try growRoot(node)
            return try makeRoom(at: level, for: key, in: kind, group)
        }
        if path.nodes[depth - 1].count >= capacity(of: kind, level: level + 1) {
            try makeRoom(at: level + 1, for: key, in: kind, group)
            return try makeRoom(at: level, for: key, in: kind, group)
        }
        try split(node, below: path.nodes[depth - 1], entry: path.entries[depth - 1])
    }

    /// Puts a root above the root.
    private func growRoot(_ root: GroupTreeNode) throws(StorageError) {
        guard root.level + 1 < GroupTreeNode.maximumLevelCount else {
            throw badTree(root.kind, root.group, position(of: root))
        }
        let number = try takeTreeBlock(root.kind, root.group)
        try setRoot(number, levels: root.level + 2, of: root.kind, root.group)
        let above = newNode(number, root.kind, root.group, level: root.level + 1)
        store(above, items: [root.key + root.block.bytes])
    }

    /// Moves the upper half of a block into a new one.
    private func split(
        _ node: GroupTreeNode, below parent: GroupTreeNode, entry: Int
    ) throws(StorageError) {
        let items = node.items
        let kept = items.count / 2
        let number = try takeTreeBlock(node.kind, node.group)
        let left = store(node, items: Array(items[..<kept]), right: number)
        let right = store(
            newNode(number, node.kind, node.group, level: node.level), items: Array(items[kept...]),
            left: node.block, right: node.right)
        try link(node.right, of: node, left: number)
        var above = parent.items
        above[entry] = left.key + left.block.bytes
        above.insert(right.key + number.bytes, at: entry + 1)
        store(parent, items: above)
    }

    /// Joins a block that is less than half full with its neighbour, or takes some of that one's records.
    func mend(
        at level: Int, near key: TreeRecordKey, in kind: GroupTree, _ group: AGNumber
    ) throws(StorageError) {
        let path = try path(to: key, in: kind, headers(of: group))
        let depth = path.nodes.count - 1 - level
        guard depth >= 0 else { return }
        let node = path.nodes[depth]
        guard depth > 0 else {
            guard level > 0, node.count == 1 else { return }
            try setRoot(node.pointer(0), levels: level, of: kind, group)
            return try giveTreeBlock(node)
        }
        guard node.count < capacity(of: kind, level: level) / 2 else { return }
        let parent = path.nodes[depth - 1]
        // Only a root may have one block below it: it goes first.
        guard parent.count > 1 else {
            guard depth == 1 else { return }
            return try mend(at: level + 1, near: key, in: kind, group)
        }
        let first = max(path.entries[depth - 1] - 1, 0)
        let left = try treeNode(parent.pointer(first), of: kind, in: group, level: level)
        let right = try treeNode(parent.pointer(first + 1), of: kind, in: group, level: level)
        let items = left.items + right.items
        var above = parent.items
        if items.count <= capacity(of: kind, level: level) {
            let joined = store(left, items: items, right: right.right)
            try link(right.right, of: right, left: left.block)
            above[first] = joined.key + left.block.bytes
            above.remove(at: first + 1)
            store(parent, items: above)
            try giveTreeBlock(right)
            return try mend(at: level + 1, near: key, in: kind, group)
        }
        let half = items.count / 2
        above[first] = store(left, items: Array(items[..<half])).key + left.block.bytes
        above[first + 1] = store(right, items: Array(items[half...])).key + right.block.bytes
        store(parent, items: above)
    }

    /// Tells a block's right neighbour who is at its left now.
    private func link(
        _ number: AGBlock, of node: GroupTreeNode, left: AGBlock
    ) throws(StorageError) {
        guard number != .none else { return }
        let neighbour = try treeNode(number, of: node.kind, in: node.group, level: node.level)
        var bytes = neighbour.bytes
        bytes.storeBig(left.rawValue, at: GroupTreeNode.leftOffset)
        store(bytes, at: position(of: neighbour), .tree)
    }

    /// Gives a block other contents; returns it as it is then.
    @discardableResult
    private func store(
        _ node: GroupTreeNode, items: [[UInt8]], left: AGBlock? = nil, right: AGBlock? = nil
    ) -> GroupTreeNode {
        let changed = node.holding(items, left: left, right: right)
        store(changed.bytes, at: position(of: changed), .tree)
        return changed
    }

    /// An empty block of a tree.
    private func newNode(
        _ number: AGBlock, _ kind: GroupTree, _ group: AGNumber, level: Int
    ) -> GroupTreeNode {
        var bytes = [UInt8](repeating: 0, count: geometry.blockSize)
        bytes.storeBig(geometry.hasChecksums ? kind.magics.checked : kind.magics.plain, at: 0)
        bytes.storeBig(UInt16(level), at: 4)
        bytes.storeBig(AGBlock.none.rawValue, at: GroupTreeNode.leftOffset)
        bytes.storeBig(AGBlock.none.rawValue, at: GroupTreeNode.rightOffset)
        if geometry.hasChecksums {
            let position = geometry.position(of: geometry.block(number, in: group))
            stamp(&bytes, .shortTree, owner: UInt64(group.rawValue), at: position)
        }
        return GroupTreeNode(
            kind: kind, group: group, block: number, bytes: bytes, level: level, count: 0,
            start: groupTreeHeaderSize,
            pointers: groupTreeHeaderSize + capacity(of: kind, level: level) * kind.keyByteCount)
    }

    /// What version 5 says of a new block: its place, volume and owner; no sequence number.
    func stamp(_ bytes: inout [UInt8], _ stamp: BlockStamp, owner: UInt64, at position: UInt64) {
        guard geometry.hasChecksums else { return }
        bytes.storeBig(position / 512, at: stamp.place)
        bytes.replaceSubrange(stamp.uuid..<stamp.uuid + 16, with: geometry.blockUUID)
        if stamp.ownerSize == 8 {
            bytes.storeBig(owner, at: stamp.owner)
        } else {
            bytes.storeBig(UInt32(truncatingIfNeeded: owner), at: stamp.owner)
        }
    }

    private func setRoot(
        _ number: AGBlock, levels: Int, of kind: GroupTree, _ group: AGNumber
    ) throws(StorageError) {
        let place = kind.rootPlace
        try changeHeader(kind.isInInodesHeader ? .inodes : .freeSpace, group) { bytes in
            bytes.storeBig(number.rawValue, at: place.root)
            bytes.storeBig(UInt32(levels), at: place.levels)
        }
    }
}

extension AGBlock {
    var bytes: [UInt8] {
        var result = [UInt8](repeating: 0, count: 4)
        result.storeBig(rawValue, at: 0)
        return result
    }
}

extension GroupTree {
    /// Whether the header of inodes has its root, or that of free space.
    var isInInodesHeader: Bool { self == .inodes || self == .freeInodes }

    /// Where the header keeps root and levels.
    var rootPlace: (root: Int, levels: Int) {
        switch self {
        case .freeByBlock: (16, 28)
        case .freeByCount: (20, 32)
        case .reverseMap: (24, 36)
        case .references:
            (
                GroupHeaders.FreeSpaceOffset.referencesRoot, GroupHeaders.FreeSpaceOffset.referencesLevel
            )
        case .inodes: (GroupHeaders.InodesOffset.root, GroupHeaders.InodesOffset.level)
        case .freeInodes: (GroupHeaders.InodesOffset.freeRoot, GroupHeaders.InodesOffset.freeLevel)
        }
    }
}

extension GroupTreeNode {
    var right: AGBlock { AGBlock(bytes.big(Self.rightOffset)) }
    var left: AGBlock { AGBlock(bytes.big(Self.leftOffset)) }

    /// Records of a leaf; above, keys with the pointers that belong to them.
    var items: [[UInt8]] {
        (0..<count).map { index in
            guard level > 0 else {
                return Array(bytes[recordOffset(index)..<recordOffset(index) + kind.recordByteCount])
            }
            let key = start + index * kind.keyByteCount
            return Array(bytes[key..<key + kind.keyByteCount]) + pointer(index).bytes
        }
    }

    /// The key that stands for the block in the one above.
    var key: [UInt8] {
        guard level == 0 else {
            let low = Array(bytes[start..<start + (kind == .reverseMap ? 20 : kind.keyByteCount)])
            guard kind == .reverseMap else { return low }
            return low + XFSTransaction.highest(items.map { Array($0[20..<40]) })
        }
        let low = kind.lowKey(of: bytes[start..<start + kind.recordByteCount])
        guard kind == .reverseMap else { return low }
        return low
            + XFSTransaction.highest(
                (0..<count).map { ReverseRecord(bytes, at: recordOffset($0)).key(isHigh: true) })
    }

    /// The same block with other items and neighbours.
    func holding(_ items: [[UInt8]], left: AGBlock? = nil, right: AGBlock? = nil) -> GroupTreeNode {
        var bytes = bytes
        for index in start..<bytes.count { bytes[index] = 0 }
        for (index, item) in items.enumerated() {
            if level == 0 {
                bytes.replaceSubrange(recordOffset(index)..<recordOffset(index) + item.count, with: item)
                continue
            }
            let key = start + index * kind.keyByteCount
            bytes.replaceSubrange(key..<key + kind.keyByteCount, with: item[..<kind.keyByteCount])
            let place = pointers + index * 4
            bytes.replaceSubrange(place..<place + 4, with: item[kind.keyByteCount...])
        }
        bytes.storeBig(UInt16(items.count), at: Self.countOffset)
        if let left { bytes.storeBig(left.rawValue, at: Self.leftOffset) }
        if let right { bytes.storeBig(right.rawValue, at: Self.rightOffset) }
        return GroupTreeNode(
            kind: kind, group: group, block: block, bytes: bytes, level: level, count: items.count,
            start: start, pointers: pointers)
    }
}
