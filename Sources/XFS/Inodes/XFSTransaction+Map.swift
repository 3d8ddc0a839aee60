internal import Storage

/// Maps that change: a list of extents in the inode, or a tree of them where the list is too long. The tree is laid out
/// anew, its blocks evenly filled, old blocks of it used again.
extension XFSTransaction {
    /// XFS's limit of a fork's extents: 2^31, and 2^15 of attributes. Lists beyond this are refused: they are held in memory.
    private static let extentLimit = 1 << 20

    /// All extents of a fork, checked: in order, inside the volume, no more blocks than there are.
    func extents(of inode: Inode, _ fork: Inode.Fork) throws(StorageError) -> [ExtentRecord] {
        var extents: [ExtentRecord] = []
        var count: UInt64 = 0
        try forEachExtent(of: inode, fork) { (record) throws(StorageError) in
            count += record.count
            guard record.count > 0, geometry.contains(record.block, count: record.count),
                count <= geometry.blockCount, extents.last.map({ $0.end <= record.fileBlock }) ?? true
            else { throw damagedMap(inode) }
            guard extents.count < Self.extentLimit else { throw fragmented(inode) }
            extents.append(record)
            return true
        }
        return extents
    }

    private func damagedMap(_ inode: Inode) -> StorageError {
        .xfs(
            .corrupt, .badMap, "the map of \(inode.name) is damaged; run xfs_repair", structure: "extent",
            offset: inode.position)
    }

    private func fragmented(_ inode: Inode) -> StorageError {
        .xfs(.refused, .fileFragmented, "\(inode.name) lies in more pieces than are changed here")
    }

    /// The blocks of an extent, or of a part of one.
    func run(_ block: FSBlock, _ count: UInt64) -> BlockRun {
        BlockRun(
            group: AGNumber(UInt32(truncatingIfNeeded: geometry.group(of: block))),
            start: geometry.groupBlock(of: block).rawValue, count: UInt32(truncatingIfNeeded: count))
    }

    /// Gives the blocks of an extent back, or leaves them to the files that share them.
    func release(_ record: ExtentRecord, _ fork: Inode.Fork, of inode: Inode) throws(StorageError) {
        let run = run(record.block, record.count)
        try removeOwner(
            run,
            BlockOwner(
                inode.number, fork, fileBlock: record.fileBlock, isUnwritten: record.isUnwritten))
        for part in try unshare(run) {
            try freeBlocks(part)
            forget(part)
        }
    }

    /// What this change holds for blocks that it gives back is not written.
    private func forget(_ run: BlockRun) {
        let blockSize = UInt64(geometry.blockSize)
        let start = geometry.position(of: geometry.block(AGBlock(run.start), in: run.group))
        let end = start + UInt64(run.count) * blockSize
        if UInt64(run.count) < UInt64(state.buffers.count) {
            for position in stride(from: start, to: end, by: Int(blockSize)) {
                state.buffers[position] = nil
            }
        } else {
            state.buffers = state.buffers.filter { $0.key < start || $0.key >= end }
        }
        for (position, bytes) in state.contents
        where position < end && position + UInt64(bytes.count) > start {
            state.contents[position] = nil
            let before = position < start ? Int(start - position) : 0
            if before > 0 { state.contents[position] = Array(bytes[..<before]) }
            if position + UInt64(bytes.count) > end {
                state.contents[end] = Array(bytes[Int(end - position)...])
            }
        }
    }

    /// Blocks of a fork's tree.
    private func mapBlocks(of inode: Inode, _ fork: Inode.Fork) throws(StorageError) -> [FSBlock] {
        var blocks: [FSBlock] = []
        try forEachExtent(of: inode, fork) { (node) throws(StorageError) in
            blocks.append(node)
        } _: { (_) throws(StorageError) in
            true
        }
        return blocks
    }

    /// Gives a fork another list of extents, sorted, and counts its blocks. `before` is how many blocks the fork had by its
    /// old list. The fork's room in the inode may have changed before: `old` is the inode as its map can be read.
    func setExtents(
        _ records: [ExtentRecord], _ fork: Inode.Fork, of inode: inout Inode, was old: Inode? = nil
    ) throws(StorageError) {
        let old = old ?? inode
        let hadMap = old.format(fork) == .extents || old.format(fork) == .tree
        let oldRecords = hadMap ? try extents(of: old, fork) : []
        let oldBlocks = hadMap ? try mapBlocks(of: old, fork) : []
        guard records.count <= Self.extentLimit else { throw fragmented(inode) }
        let range = inode.range(fork)
        var spare = oldBlocks
        var blockCount = 0
        var root = [UInt8](repeating: 0, count: range.count)
        if records.count <= range.count / ExtentRecord.byteCount {
            for (index, record) in records.enumerated() {
                let place = index * ExtentRecord.byteCount
                root.replaceSubrange(place..<place + ExtentRecord.byteCount, with: record.bytes)
            }
            inode.setFormat(.extents, fork)
        } else {
            let capacity = max(range.count - 4, 0) / 16
            guard capacity > 0 else { throw fragmented(inode) }
            var items = records.map { MapItem(key: $0.fileBlock, bytes: $0.bytes) }
            var level = 0
            repeat {
                items = try mapLevel(items, level: level, of: inode, fork, spare: &spare)
                blockCount += items.count
                level += 1
            } while items.count > capacity
            root.storeBig(UInt16(level), at: 0)
            root.storeBig(UInt16(items.count), at: 2)
            for (index, item) in items.enumerated() {
                root.storeBig(item.key, at: 4 + index * 8)
                root.replaceSubrange(
                    4 + capacity * 8 + index * 8..<4 + capacity * 8 + index * 8 + 8, with: item.bytes)
            }
            inode.setFormat(.tree, fork)
        }
        inode.bytes.replaceSubrange(range, with: root)
        inode.setExtentCount(UInt64(records.count), fork)
        for block in spare {
            let run = run(block, 1)
            try removeOwner(run, BlockOwner(mapOf: inode.number, fork))
            try freeBlocks(run)
            state.buffers[geometry.position(of: block)] = nil
        }
        let before = oldRecords.reduce(UInt64(0)) { $0 + $1.count } + UInt64(oldBlocks.count)
        let after = records.reduce(UInt64(0)) { $0 + $1.count } + UInt64(blockCount)
        guard inode.blockCount >= before, let total = (inode.blockCount - before) +? after else {
            throw .xfs(
                .corrupt, .badInode, "\(inode.name) counts fewer blocks than it has; run xfs_repair",
                structure: "inode", field: "di_nblocks", offset: inode.position)
        }
        inode.bytes.storeBig(total, at: Inode.Offset.blockCount)
    }

    /// A record or a pointer, and the first block of the file that it is about.
    private struct MapItem {
        let key: UInt64
        let bytes: [UInt8]
    }

    /// Lays a level out; returns what the level above holds.
    private func mapLevel(
        _ items: [MapItem], level: Int, of inode: Inode, _ fork: Inode.Fork, spare: inout [FSBlock]
    ) throws(StorageError) -> [MapItem] {
        let capacity = mapBlockCapacity
        let count = items.count.dividedRoundingUp(by: capacity)
        var blocks: [FSBlock] = []
        for _ in 0..<count {
            if let held = spare.popLast() {
                blocks.append(held)
                continue
            }
            let run = try takeBlocks(
                BlockRequest(count: 1, isMetadata: true), near: geometry.group(of: inode.number))
            try addOwner(run, BlockOwner(mapOf: inode.number, fork))
            blocks.append(geometry.block(AGBlock(run.start), in: run.group))
        }
        var above: [MapItem] = []
        for index in 0..<count {
            let part = items[items.count * index / count..<items.count * (index + 1) / count]
            guard let first = part.first else { continue }
            var bytes = [UInt8](repeating: 0, count: geometry.blockSize)
            bytes.storeBig(geometry.hasChecksums ? MapNode.checkedMagic : MapNode.magic, at: 0)
            bytes.storeBig(UInt16(level), at: 4)
            bytes.storeBig(UInt16(part.count), at: 6)
            bytes.storeBig(index > 0 ? blocks[index - 1].rawValue : .max, at: 8)
            bytes.storeBig(index + 1 < count ? blocks[index + 1].rawValue : .max, at: 16)
            let position = geometry.position(of: blocks[index])
            stamp(&bytes, .longTree, owner: inode.number.rawValue, at: position)
            for (number, item) in part.enumerated() {
                if level == 0 {
                    let place = mapHeaderSize + number * ExtentRecord.byteCount
                    bytes.replaceSubrange(place..<place + ExtentRecord.byteCount, with: item.bytes)
                } else {
                    bytes.storeBig(item.key, at: mapHeaderSize + number * 8)
                    let place = mapHeaderSize + (capacity + number) * 8
                    bytes.replaceSubrange(place..<place + 8, with: item.bytes)
                }
            }
            store(bytes, at: position, .tree)
            var pointer = [UInt8](repeating: 0, count: 8)
            pointer.storeBig(blocks[index].rawValue, at: 0)
            above.append(MapItem(key: first.key, bytes: pointer))
        }
        return above
    }
}

extension Inode {
    /// How a fork is kept from now on.
    mutating func setFormat(_ format: Format, _ fork: Fork) {
        bytes[fork == .data ? Offset.format : Offset.attributeFormat] = format.rawValue
    }
}

extension Geometry {
    /// The group so many further on, round the end.
    func group(_ distance: UInt32, behind group: AGNumber) -> AGNumber {
        AGNumber(
            UInt32(truncatingIfNeeded: (UInt64(group.rawValue) + UInt64(distance)) % UInt64(groupCount)))
    }

    /// The group that an inode lies in.
    func group(of inode: InodeNumber) -> AGNumber {
        AGNumber(UInt32(truncatingIfNeeded: group(of: block(of: inode))))
    }
}
