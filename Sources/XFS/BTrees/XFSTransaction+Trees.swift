internal import Storage

/// Changes of a group's trees. A block that is full is split before a record goes in, one that falls below half is joined
/// with its neighbour or shares its records.
extension XFSTransaction {
    /// The blocks from the root down to the leaf where a key belongs, and the entry taken in each block above.
    struct TreePath {
        var nodes: [GroupTreeNode]
        var entries: [Int]
        /// The first record of the leaf whose key is not below the one looked for.
        var index: Int

        var leaf: GroupTreeNode { nodes[nodes.count - 1] }
    }

    func path(
        to key: TreeRecordKey, in kind: GroupTree, _ headers: GroupHeaders
    ) throws(StorageError) -> TreePath {
        let (root, levels) = headers.root(kind)
        guard (1...GroupTreeNode.maximumLevelCount).contains(levels) else {
            throw badTree(kind, headers.group, geometry.position(ofSector: 1, in: headers.group))
        }
        var nodes: [GroupTreeNode] = []
        var entries: [Int] = []
        var number = root
        var neighbours = NeighbourPath(AGBlock.none)
        for level in stride(from: levels - 1, through: 0, by: -1) {
            let node = try treeNode(number, of: kind, in: headers.group, level: level)
            guard neighbours.allows(left: node.left, right: node.right) else {
                throw badTree(kind, headers.group, position(of: node))
            }
            nodes.append(node)
            guard level > 0 else { break }
            let next = (0..<node.count).firstIndex(sortedBy: {
                TreeRecordKey(kind, node.bytes, at: node.start + $0 * kind.keyByteCount, isRecord: false)
                    > key
            })
            entries.append(max(next - 1, 0))
            neighbours.descend(max(next - 1, 0), of: node.count, node.pointer)
            number = node.pointer(max(next - 1, 0))
        }
        let leaf = nodes[nodes.count - 1]
        let index = (0..<leaf.count).firstIndex(sortedBy: {
            TreeRecordKey(kind, leaf.bytes, at: leaf.recordOffset($0), isRecord: true) >= key
        })
        return TreePath(nodes: nodes, entries: entries, index: index)
    }

    private func key(_ kind: GroupTree, _ record: [UInt8]) -> TreeRecordKey {
        TreeRecordKey(kind, record, at: 0, isRecord: true)
    }

    /// Puts a record into its place.
    func insert(_ record: [UInt8], into kind: GroupTree, _ group: AGNumber) throws(StorageError) {
        try makeRoom(at: 0, for: key(kind, record), in: kind, group)
        let path = try path(to: key(kind, record), in: kind, headers(of: group))
        guard path.leaf.count < capacity(of: kind, level: 0) else {
            throw badTree(kind, group, position(of: path.leaf))
        }
        try change(path) { bytes, leaf in
            let place = leaf.recordOffset(path.index)
            let end = leaf.recordOffset(leaf.count)
            bytes.replaceSubrange(
                place + record.count..<end + record.count, with: Array(bytes[place..<end]))
            bytes.replaceSubrange(place..<place + record.count, with: record)
            bytes.storeBig(UInt16(leaf.count + 1), at: GroupTreeNode.countOffset)
        }
    }

    /// Takes a record out, which has to be there.
    func remove(_ record: [UInt8], from kind: GroupTree, _ group: AGNumber) throws(StorageError) {
        let path = try path(to: key(kind, record), in: kind, headers(of: group))
        let leaf = path.leaf
        let place = leaf.recordOffset(path.index)
        guard path.index < leaf.count, leaf.bytes[place..<place + record.count].elementsEqual(record) else {
            throw badTree(kind, group, geometry.position(of: geometry.block(leaf.block, in: group)))
        }
        try change(path) { bytes, leaf in
            let end = leaf.recordOffset(leaf.count)
            bytes.replaceSubrange(place..<end - record.count, with: Array(bytes[place + record.count..<end]))
            bytes.replaceSubrange(end - record.count..<end, with: [UInt8](repeating: 0, count: record.count))
            bytes.storeBig(UInt16(leaf.count - 1), at: GroupTreeNode.countOffset)
        }
        guard path.nodes.count > 1, leaf.count - 1 < capacity(of: kind, level: 0) / 2 else { return }
        // What is left tells where the leaf is: keys above stand for it from now on.
        let kept = path.index == 0 ? leaf.recordOffset(1) : leaf.recordOffset(0)
        guard leaf.count > 1 else { throw badTree(kind, group, position(of: leaf)) }
        try mend(at: 0, near: TreeRecordKey(kind, leaf.bytes, at: kept, isRecord: true), in: kind, group)
    }

    /// Puts a record in the place of another: in the same leaf where its key may stay there.
    func replace(
        _ old: [UInt8], by new: [UInt8], in kind: GroupTree, _ group: AGNumber
    ) throws(StorageError) {
        let path = try path(to: key(kind, old), in: kind, headers(of: group))
        let leaf = path.leaf
        let place = leaf.recordOffset(path.index)
        guard path.index < leaf.count, leaf.bytes[place..<place + old.count].elementsEqual(old) else {
            throw badTree(kind, group, geometry.position(of: geometry.block(leaf.block, in: group)))
        }
        let wanted = key(kind, new)
        func neighbour(_ index: Int) -> TreeRecordKey {
            TreeRecordKey(kind, leaf.bytes, at: leaf.recordOffset(index), isRecord: true)
        }
        let isAtLeft = path.entries.allSatisfy { $0 == 0 }
        let staysLeft =
            path.index == 0 ? isAtLeft || wanted >= key(kind, old) : neighbour(path.index - 1) < wanted
        let staysRight =
            path.index + 1 == leaf.count
            ? path.nodes.count == 1 || wanted <= key(kind, old) : wanted < neighbour(path.index + 1)
        guard staysLeft, staysRight else {
            try remove(old, from: kind, group)
            return try insert(new, into: kind, group)
        }
        try change(path) { bytes, _ in bytes.replaceSubrange(place..<place + new.count, with: new) }
    }

    /// Changes a leaf, and the keys above that stand for it.
    private func change(
        _ path: TreePath, _ body: (inout [UInt8], GroupTreeNode) -> Void
    ) throws(StorageError) {
        let leaf = path.leaf
        let kind = leaf.kind
        var bytes = leaf.bytes
        body(&bytes, leaf)
        store(bytes, at: position(of: leaf), .tree)
        guard path.nodes.count > 1 else { return }
        let count = Int(bytes.big(GroupTreeNode.countOffset, as: UInt16.self))
        var low = kind.lowKey(of: bytes[leaf.start..<leaf.start + kind.recordByteCount])
        var high: [UInt8] = []
        if kind == .reverseMap {
            let keys = (0..<count).map { ReverseRecord(bytes, at: leaf.recordOffset($0)).key(isHigh: true) }
            high = Self.highest(keys)
        }
        for depth in stride(from: path.nodes.count - 2, through: 0, by: -1) {
            let node = path.nodes[depth]
            var above = node.bytes
            let place = node.start + path.entries[depth] * kind.keyByteCount
            above.replaceSubrange(place..<place + kind.keyByteCount, with: low + high)
            if above != node.bytes { store(above, at: position(of: node), .tree) }
            low = Array(above[node.start..<node.start + low.count])
            if kind == .reverseMap {
                let keys = (0..<node.count).map { index in
                    Array(above[node.start + index * 40 + 20..<node.start + index * 40 + 40])
                }
                high = Self.highest(keys)
            }
        }
    }

    static func highest(_ keys: [[UInt8]]) -> [UInt8] {
        keys.max { $0.lexicographicallyPrecedes($1) } ?? []
    }

    func position(of node: GroupTreeNode) -> UInt64 {
        geometry.position(of: geometry.block(node.block, in: node.group))
    }
}
