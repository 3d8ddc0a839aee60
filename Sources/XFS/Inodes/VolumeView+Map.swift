internal import Storage

extension VolumeView {
    /// Blocks of a file are counted below this.
    private static var mapEnd: UInt64 { 1 << 54 }

    /// The run that holds block `target` of a fork, cut off before it: `start` is `target`.
    func run(
        of inode: Inode, _ fork: Inode.Fork = .data, at target: UInt64
    ) throws(StorageError) -> MappedRun {
        guard target < Self.mapEnd else {
            throw .xfs(
                .corrupt, .badMap, "block \(target) of \(inode.name) is past any file's end",
                structure: "inode", offset: inode.position)
        }
        if fork == .data, inode.flags.contains(.realTime), inode.type == .regular {
            throw .xfs(
                .unsupported, .realTime,
                "the contents of \(inode.name) lie on a real-time device, which is not read here")
        }
        switch inode.format(fork) {
        case .extents:
            let range = inode.range(fork)
            let count = Int(min(inode.extentCount(fork), UInt64(range.count / ExtentRecord.byteCount)))
            return try run(
                in: inode.bytes, from: range.lowerBound, count: count, at: target, before: Self.mapEnd, inode)
        case .tree: return try treeRun(of: inode, fork, at: target)
        default:
            throw .xfs(
                .corrupt, .badMap, "\(inode.name) has no map", structure: "inode", field: "di_format",
                offset: inode.position)
        }
    }

    /// The run of `target` among sorted records; a hole behind the last reaches to `limit`.
    private func run(
        in bytes: [UInt8], from start: Int, count: Int, at target: UInt64, before limit: UInt64,
        _ inode: Inode
    ) throws(StorageError) -> MappedRun {
        let next = (0..<count).firstIndex(sortedBy: {
            ExtentRecord(bytes.span8, at: start + $0 * ExtentRecord.byteCount).fileBlock > target
        })
        if next > 0 {
            let record = ExtentRecord(bytes.span8, at: start + (next - 1) * ExtentRecord.byteCount)
            if record.end > target {
                guard record.count > 0, geometry.contains(record.block, count: record.count) else {
                    throw .xfs(
                        .corrupt, .badMap,
                        "the map of \(inode.name) names blocks outside the volume; run xfs_repair",
                        structure: "extent", offset: inode.position)
                }
                let skip = target - record.fileBlock
                let first = record.block.advanced(by: skip)
                return MappedRun(
                    start: target, count: record.count - skip,
                    place: record.isUnwritten ? .unwritten(first) : .written(first))
            }
        }
        var end = limit
        if next < count {
            end = ExtentRecord(bytes.span8, at: start + next * ExtentRecord.byteCount).fileBlock
        }
        guard end > target else {
            throw .xfs(
                .corrupt, .badMap, "the map of \(inode.name) is not in order; run xfs_repair",
                structure: "extent", offset: inode.position)
        }
        return MappedRun(start: target, count: end - target, place: .hole)
    }

    private func treeRun(
        of inode: Inode, _ fork: Inode.Fork, at target: UInt64
    ) throws(StorageError) -> MappedRun {
        var node = try mapRoot(of: inode, fork)
        var limit = Self.mapEnd
        var neighbours = NeighbourPath(MapNode.noBlock)
        while node.level > 0 {
            let index = max((0..<node.count).firstIndex(sortedBy: { node.key($0) > target }) - 1, 0)
            if index + 1 < node.count { limit = min(limit, node.key(index + 1)) }
            neighbours.descend(index, of: node.count, node.pointer)
            let number = node.pointer(index)
            node = try mapNode(number, of: inode, level: node.level - 1)
            guard neighbours.allows(left: node.left, right: node.right) else {
                throw badMap(inode, geometry.position(of: number))
            }
        }
        return try run(
            in: node.bytes, from: node.start, count: node.count, at: target, before: max(limit, target), inode
        )
    }

    /// All records of a fork in order, as long as `body` wants them.
    func forEachExtent(
        of inode: Inode, _ fork: Inode.Fork = .data,
        node visit: (FSBlock) throws(StorageError) -> Void = { (_) throws(StorageError) in },
        _ body: (ExtentRecord) throws(StorageError) -> Bool
    ) throws(StorageError) {
        switch inode.format(fork) {
        case .extents:
            let range = inode.range(fork)
            let count = Int(min(inode.extentCount(fork), UInt64(range.count / ExtentRecord.byteCount)))
            for index in 0..<count {
                let record = ExtentRecord(
                    inode.bytes.span8, at: range.lowerBound + index * ExtentRecord.byteCount)
                guard try body(record) else { return }
            }
        case .tree:
            let root = try mapRoot(of: inode, fork)
            var walk = NeighbourWalk(MapNode.noBlock)
            let isWhole = try forEachExtent(below: root, of: inode, &walk, node: visit, body)
            guard !isWhole || walk.isComplete else { throw badMap(inode, inode.position) }
        default: return
        }
    }

    private func forEachExtent(
        below node: MapNode, of inode: Inode, _ walk: inout NeighbourWalk<FSBlock>,
        node visit: (FSBlock) throws(StorageError) -> Void,
        _ body: (ExtentRecord) throws(StorageError) -> Bool
    ) throws(StorageError) -> Bool {
        for index in 0..<node.count {
            if node.level == 0 {
                let record = ExtentRecord(
                    node.bytes.span8, at: node.start + index * ExtentRecord.byteCount)
                guard try body(record) else { return false }
            } else {
                let child = try mapNode(node.pointer(index), of: inode, level: node.level - 1)
                let number = node.pointer(index)
                guard walk.take(number, level: child.level, left: child.left, right: child.right) else {
                    throw badMap(inode, geometry.position(of: number))
                }
                try visit(number)
                guard try forEachExtent(below: child, of: inode, &walk, node: visit, body) else {
                    return false
                }
            }
        }
        return true
    }
}
