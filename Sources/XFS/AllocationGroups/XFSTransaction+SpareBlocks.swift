internal import Storage

/// Blocks that trees grow into: those of free space and of the reverse map from the group's spare ones (AGFL), so that
/// taking one changes no tree; those of other trees from free space.
extension XFSTransaction {
    /// Who owns what no file has (xfs_rmap.h).
    enum SystemOwner {
        static let group: Int64 = -5
        static let inodeTrees: Int64 = -6
        static let inodes: Int64 = -7
        static let references: Int64 = -8
    }

    /// Changes a header's sector.
    func changeHeader(
        _ sector: GroupHeaders.Sector, _ group: AGNumber, _ body: (inout [UInt8]) -> Void
    ) throws(StorageError) {
        let headers = try headers(of: group)
        let (held, type): ([UInt8], BufferType) =
            switch sector.number {
            case GroupHeaders.freeSpace.number: (headers.agf, .freeSpace)
            case GroupHeaders.inodes.number: (headers.agi, .inodesHeader)
            default: (headers.agfl, .freeList)
            }
        var bytes = held
        body(&bytes)
        store(bytes, at: geometry.position(ofSector: sector.number, in: group), type)
    }

    /// Takes a block for a tree.
    func takeTreeBlock(_ kind: GroupTree, _ group: AGNumber) throws(StorageError) -> AGBlock {
        switch kind {
        case .freeByBlock, .freeByCount, .reverseMap:
            let block = try takeSpareBlock(group)
            try countTreeBlocks(kind, group, 1)
            return block
        case .inodes, .freeInodes, .references:
            guard let run = try takeBlocks(BlockRequest(count: 1, isMetadata: true), in: group) else {
                throw .xfs(
                    .refused, .noSpace, "group \(group.rawValue) has no room for its \(kind.name) to grow",
                    structure: kind.name)
            }
            try addOwner(run, treeOwner(kind))
            try countTreeBlocks(kind, group, 1)
            return AGBlock(run.start)
        }
    }

    private func treeOwner(_ kind: GroupTree) -> BlockOwner {
        BlockOwner(owner: kind == .references ? SystemOwner.references : SystemOwner.inodeTrees)
    }

    /// Gives back a tree's block.
    func giveTreeBlock(_ node: GroupTreeNode) throws(StorageError) {
        state.buffers[position(of: node)] = nil
        try countTreeBlocks(node.kind, node.group, -1)
        switch node.kind {
        case .freeByBlock, .freeByCount, .reverseMap: try putSpareBlock(node.block, node.group)
        case .inodes, .freeInodes, .references:
            let run = BlockRun(group: node.group, start: node.block.rawValue, count: 1)
            try removeOwner(run, treeOwner(node.kind))
            try freeBlocks(run)
        }
    }

    /// Headers count the blocks of their trees, some with a feature only. Those of free space and of the reverse map are free
    /// ones for the superblock, as the spare ones are that they come from, whether it counts lazily or not
    /// (xfs_alloc_get_freelist).
    private func countTreeBlocks(
        _ kind: GroupTree, _ group: AGNumber, _ change: Int32
    ) throws(StorageError) {
        // xfs_repair writes none where they are not counted lazily: such a count is not believed, and ends at zero.
        func add(_ bytes: inout [UInt8], _ offset: Int) {
            let count: UInt32 = bytes.big(offset)
            bytes.storeBig(UInt32(clamping: Int64(count) + Int64(change)), at: offset)
        }
        switch kind {
        case .freeByBlock, .freeByCount, .reverseMap:
            try changeHeader(.freeSpace, group) { bytes in
                add(&bytes, GroupHeaders.FreeSpaceOffset.treeBlockCount)
                if kind == .reverseMap { add(&bytes, GroupHeaders.FreeSpaceOffset.reverseMapBlockCount) }
            }
        case .references:
            try changeHeader(.freeSpace, group) {
                add(&$0, GroupHeaders.FreeSpaceOffset.referencesBlockCount)
            }
        case .inodes, .freeInodes:
            guard geometry.readOnly.contains(.inodeTreeCounts) else { return }
            try changeHeader(.inodes, group) {
                add(
                    &$0,
                    kind == .inodes
                        ? GroupHeaders.InodesOffset.blockCount : GroupHeaders.InodesOffset.freeBlockCount)
            }
        }
    }

    private func takeSpareBlock(_ group: AGNumber) throws(StorageError) -> AGBlock {
        let headers = try headers(of: group)
        guard let block = headers.spareBlocks?.first else {
            throw .xfs(
                .refused, .noSpace, "group \(group.rawValue) has no spare block for its trees to grow into",
                structure: "AGFL")
        }
        guard (geometry.headBlockCount..<geometry.blockCount(of: group)).contains(block.rawValue) else {
            throw badTree(.freeByBlock, group, geometry.position(ofSector: 3, in: group))
        }
        let next = (Int(headers.free(GroupHeaders.FreeSpaceOffset.listFirst)) + 1) % headers.listCapacity
        let count = headers.free(GroupHeaders.FreeSpaceOffset.listCount)
        try changeHeader(.freeSpace, group) { bytes in
            bytes.storeBig(UInt32(next), at: GroupHeaders.FreeSpaceOffset.listFirst)
            bytes.storeBig(count - 1, at: GroupHeaders.FreeSpaceOffset.listCount)
        }
        return block
    }

    private func putSpareBlock(_ block: AGBlock, _ group: AGNumber) throws(StorageError) {
        let headers = try headers(of: group)
        let count = headers.free(GroupHeaders.FreeSpaceOffset.listCount)
        guard Int(count) < headers.listCapacity else {
            throw .xfs(
                .refused, .noSpace, "group \(group.rawValue) has more spare blocks than it can list",
                structure: "AGFL")
        }
        let last = (Int(headers.free(GroupHeaders.FreeSpaceOffset.listLast)) + 1) % headers.listCapacity
        let start = headers.listStart
        try changeHeader(.freeList, group) { $0.storeBig(block.rawValue, at: start + last * 4) }
        try changeHeader(.freeSpace, group) { bytes in
            bytes.storeBig(UInt32(last), at: GroupHeaders.FreeSpaceOffset.listLast)
            bytes.storeBig(count + 1, at: GroupHeaders.FreeSpaceOffset.listCount)
        }
    }

    /// Sees to it that each tree that grows into spare blocks can be split from its leaves to its root, and that the list does
    /// not fill up with what trees gave back.
    func fillSpareBlocks(_ group: AGNumber) throws(StorageError) {
        let needed = try fillList(group)
        while true {
            let headers = try headers(of: group)
            let count = headers.free(GroupHeaders.FreeSpaceOffset.listCount)
            guard Int(count) > min(2 * needed + 8, headers.listCapacity / 2) else { return }
            let run = BlockRun(group: group, start: try takeSpareBlock(group).rawValue, count: 1)
            try leave(run, BlockOwner(owner: SystemOwner.group))
            try giveBack(run, isSpare: true)
        }
    }

    /// Fills the list of spare blocks; returns how many there have to be.
    private func fillList(_ group: AGNumber) throws(StorageError) -> Int {
        while true {
            let headers = try headers(of: group)
            var needed = 0
            for kind in [GroupTree.freeByBlock, .freeByCount, .reverseMap] where kind.exists(in: geometry) {
                needed += headers.root(kind).levels + 1
            }
            guard Int(headers.free(GroupHeaders.FreeSpaceOffset.listCount)) < needed else { return needed }
            guard let record = try runsByLength(headers).last, record.count > 0,
                record.end <= UInt64(geometry.blockCount(of: group))
            else {
                throw .xfs(
                    .refused, .noSpace, "group \(group.rawValue) has no room for spare blocks",
                    structure: "AGFL")
            }
            let block = record.start + record.count - 1
            try requireOutsideLog(BlockRun(group: group, start: block, count: 1))
            let rest = FreeRecord(start: record.start, count: record.count - 1)
            try exchange([record], for: rest.count > 0 ? [rest] : [], group)
            try countFree(-1, group, isSpare: true)
            try putSpareBlock(AGBlock(block), group)
            try enter(
                BlockRun(group: group, start: block, count: 1), BlockOwner(owner: SystemOwner.group))
        }
    }
}

extension GroupHeaders.Sector {
    static let freeSpace = GroupHeaders.freeSpace
    static let inodes = GroupHeaders.inodes
    static let freeList = GroupHeaders.freeList
}
