internal import Storage

/// Where all of a file's blocks lie, taken out of its tree to be changed and put back.
struct FileMap: Sendable {
    /// Allocated runs in the file's order; no holes.
    var runs: [MappedRun]
    /// The blocks that hold the tree itself, in the order in which it is walked.
    var treeBlocks: [BlockNumber]

    /// Blocks that hold contents.
    var blockCount: UInt64 { runs.reduce(0) { $0 + $1.count } }

    /// Appends a run, joining it to the last where it goes on.
    mutating func append(_ run: MappedRun) {
        guard run.count > 0 else { return }
        guard let last = runs.last, last.end == run.logical,
            last.place.isContinued(by: run.place, after: last.count)
        else {
            runs.append(run)
            return
        }
        runs[runs.count - 1].count += run.count
    }

    /// Cuts the map at block `end` of the file and returns the runs behind it.
    mutating func removeRuns(from end: UInt64) -> [MappedRun] {
        var kept: [MappedRun] = []
        var removed: [MappedRun] = []
        for run in runs {
            if run.end <= end {
                kept.append(run)
            } else if run.logical >= end {
                removed.append(run)
            } else {
                var head = run
                head.count = end - run.logical
                kept.append(head)
                removed.append(run.droppingFirst(head.count))
            }
        }
        runs = kept
        return removed
    }
}

/// Goes through a file's runs once, from the first on.
struct FileMapCursor {
    private let runs: [MappedRun]
    private var index = 0
    /// What is left of the next run.
    private var part: MappedRun?

    init(_ runs: [MappedRun]) {
        self.runs = runs
        part = runs.first
    }

    /// What lies before block `end` of the file and was not taken yet.
    mutating func take(before end: UInt64) -> [MappedRun] {
        var taken: [MappedRun] = []
        while let run = part, run.logical < end {
            if run.end > end {
                var head = run
                head.count = end - run.logical
                taken.append(head)
                part = run.droppingFirst(head.count)
                return taken
            }
            taken.append(run)
            index += 1
            part = index < runs.count ? runs[index] : nil
        }
        return taken
    }
}

extension MappedRun.Place {
    /// Whether `next` lies right behind a run of `count` blocks that begins here, in the same state.
    func isContinued(by next: MappedRun.Place, after count: UInt64) -> Bool {
        switch (self, next) {
        case (.written(let block), .written(let other)), (.unwritten(let block), .unwritten(let other)):
            block.advanced(by: count) == other
        case (.hole, .hole): true
        default: false
        }
    }
}

extension Ext4Transaction {
    /// Reads a file's whole map.
    func map(of inode: Inode) throws(StorageError) -> FileMap {
        var map = FileMap(runs: [], treeBlocks: [])
        var seen: Set<BlockNumber> = []
        if inode.flags.contains(.extents) {
            try collect(
                extentRoot(of: inode), bounds: 0..<Self.extentLimit, of: inode, into: &map, seen: &seen)
        } else {
            for slot in 0..<15 {
                let number = inode.word(Inode.Offset.map + slot * 4)
                let levels = max(0, slot - 11)
                var logical = IndirectMap.firstLogical(slot: slot, pointersPerBlock: pointersPerBlock)
                try collect(number, levels: levels, logical: &logical, of: inode, into: &map, seen: &seen)
            }
        }
        return map
    }

    private func collect(
        _ node: ExtentNode, bounds: Range<UInt64>, of inode: Inode, into map: inout FileMap,
        seen: inout Set<BlockNumber>
    ) throws(StorageError) {
        for index in 0..<node.entryCount {
            guard !node.isLeaf else {
                map.append(node.extent(index))
                continue
            }
            let child = node.child(index)
            guard seen.insert(child).inserted else { throw doublyUsed(child, by: inode) }
            map.treeBlocks.append(child)
            let end = index + 1 < node.entryCount ? node.logical(index + 1) : bounds.upperBound
            let part = node.logical(index)..<end
            try collect(
                extentNode(child, of: inode, depth: node.depth - 1, bounds: part), bounds: part, of: inode,
                into: &map, seen: &seen)
        }
    }

    private func collect(
        _ number: UInt32, levels: Int, logical: inout UInt64, of inode: Inode, into map: inout FileMap,
        seen: inout Set<BlockNumber>
    ) throws(StorageError) {
        var covered: UInt64 = 1
        for _ in 0..<levels { covered *= pointersPerBlock }
        guard number != 0 else {
            logical += covered
            return
        }
        let block = BlockNumber(UInt64(number))
        guard geometry.contains(block) else {
            throw .ext4(
                .corrupt, .blockOutOfRange,
                "\(inode.name) points to block \(number), which is not in the volume; run e2fsck")
        }
        guard levels > 0 else {
            map.append(MappedRun(logical: logical, count: 1, place: .written(block)))
            logical += 1
            return
        }
        guard seen.insert(block).inserted else { throw doublyUsed(block, by: inode) }
        map.treeBlocks.append(block)
        let pointers = try self.block(block)
        for slot in 0..<Int(pointersPerBlock) {
            try collect(
                pointers.little(slot * 4), levels: levels - 1, logical: &logical, of: inode, into: &map,
                seen: &seen)
        }
    }

    private func doublyUsed(_ block: BlockNumber, by inode: Inode) -> StorageError {
        .ext4(
            .corrupt, .badExtentNode,
            "\(inode.name) uses block \(block.rawValue) twice in its map; run e2fsck",
            structure: "block map", offset: geometry.byteOffset(of: block))
    }

    /// Puts a changed map back into the inode (not stored yet), with its tree in the blocks of the old one as far
    /// as they go, and adjusts i_blocks. `before` is the map as it was read.
    func store(_ map: FileMap, replacing before: FileMap, in inode: inout Inode) throws(StorageError) {
        if !hasJournal, map.runs == before.runs { return }
        var pool = try TreeBlockPool(
            before.treeBlocks, goal: map.runs.first?.firstBlock ?? goal(for: inode), of: self)
        let used =
            inode.flags.contains(.extents)
            ? try storeExtents(map.runs, in: &inode, &pool) : try storePointers(map.runs, in: &inode, &pool)
        for block in pool.rest { try free(Range(block, count: 1)) }
        let old = before.blockCount + UInt64(before.treeBlocks.count)
        try changeAllocatedBlocks(of: &inode, by: Int64(map.blockCount + used) - Int64(old))
    }

    /// Where a file's blocks should lie: at the start of its inode's group.
    func goal(for inode: Inode) -> BlockNumber {
        geometry.firstBlock(ofGroup: geometry.position(of: inode.number).group)
    }

    /// Adds to i_blocks, in its own unit.
    func changeAllocatedBlocks(of inode: inout Inode, by change: Int64) throws(StorageError) {
        guard change != 0 else { return }
        let isHuge = inode.flags.contains(.hugeFile) && geometry.readOnly.contains(.hugeFiles)
        let unit = isHuge ? 1 : Int64(geometry.blockSize / 512)
        let hasHigh = geometry.readOnly.contains(.hugeFiles)
        let old =
            Int64(inode.word(Inode.Offset.sectorsLow))
            | (hasHigh ? Int64(inode.half(Inode.Offset.sectorsHigh)) << 32 : 0)
        let new = old + change * unit
        guard new >= 0 else {
            throw .ext4(
                .corrupt, .badInode, "\(inode.name) counts fewer blocks than it has; run e2fsck",
                structure: "inode", field: "i_blocks",
                offset: geometry.byteOffset(of: inode.block) + UInt64(inode.offset))
        }
        guard new < (hasHigh ? Int64(1) << 48 : Int64(1) << 32) else {
            throw .ext4(.refused, .fileTooLong, "\(inode.name) would have more blocks than it can count")
        }
        inode.bytes.storeLittle(UInt32(truncatingIfNeeded: new), at: Inode.Offset.sectorsLow)
        if hasHigh {
            inode.bytes.storeLittle(UInt16(truncatingIfNeeded: new >> 32), at: Inode.Offset.sectorsHigh)
        }
    }
}
