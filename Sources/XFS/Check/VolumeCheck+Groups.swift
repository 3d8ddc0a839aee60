internal import Storage

extension VolumeCheck {
    /// A group's headers, its trees against each other, and the inodes in it.
    func checkGroup(_ group: AGNumber) throws(StorageError) {
        let headers = try view.headers(of: group)
        let headBlocks = UInt64(4 * geometry.sectorSize).dividedRoundingUp(by: UInt64(geometry.blockSize))
        try claimFixed(geometry.block(AGBlock(0), in: group), headBlocks)
        for block in headers.spareBlocks ?? [] { try claimFixed(block, 1, in: group) }
        try checkFreeSpace(headers)
        try checkReferences(headers)
        try checkReverseMap(headers)
        try checkInodes(headers)
        try collectUnlinked(headers)
    }

    private func claimFixed(_ block: AGBlock, _ count: UInt64, in group: AGNumber) throws(StorageError) {
        let first = geometry.block(block, in: group)
        guard geometry.contains(first, count: count) else {
            throw .xfs(
                .corrupt, .blockOutOfRange,
                "group \(group.rawValue) names block \(block.rawValue), which it has not",
                structure: "AGF", offset: geometry.position(ofSector: 1, in: group))
        }
        try claimFixed(first, count)
    }

    /// All records of a tree, in order; the tree's blocks are claimed. Returns how many blocks there are.
    private func records(
        of kind: GroupTree, _ headers: GroupHeaders, isFree: Bool = false,
        _ body: ([UInt8], Int) throws(StorageError) -> Void
    ) throws(StorageError) -> UInt32 {
        var count: UInt32 = 0
        try view.forEachLeaf(of: kind, in: headers) { (node) throws(StorageError) in
            count += 1
            // No tree has more blocks than its group.
            guard count <= geometry.blockCount(of: headers.group) else {
                throw view.badTree(kind, headers.group, geometry.position(ofSector: 1, in: headers.group))
            }
            try claimFixed(node.block, 1, in: headers.group)
        } _: { (leaf) throws(StorageError) in
            for index in 0..<leaf.count { try body(leaf.bytes, leaf.recordOffset(index)) }
        }
        return count
    }

    private func disorder(_ kind: GroupTree, _ group: AGNumber) {
        sink.add(
            .treeOrder, "the \(kind.name) of group \(group.rawValue) is not in order", structure: kind.name,
            offset: geometry.position(ofSector: 1, in: group))
    }

    private func count(_ what: String, _ said: UInt32, _ found: UInt32, _ headers: GroupHeaders, sector: Int)
    {
        guard said != found else { return }
        sink.add(
            .groupCounts, "group \(headers.group.rawValue) counts \(said) \(what), and there are \(found)",
            structure: sector == 1 ? "AGF" : "AGI",
            offset: geometry.position(ofSector: sector, in: headers.group))
    }

    private func checkFreeSpace(_ headers: GroupHeaders) throws(StorageError) {
        let group = headers.group
        let length = UInt64(geometry.blockCount(of: group))
        var byBlock: [FreeRecord] = []
        var treeBlocks = try records(of: .freeByBlock, headers) { (bytes, offset) throws(StorageError) in
            let record = FreeRecord(bytes, at: offset)
            guard record.count > 0, record.end <= length else {
                throw view.badTree(.freeByBlock, group, geometry.position(ofSector: 1, in: group))
            }
            if let last = byBlock.last, last.end >= UInt64(record.start) { disorder(.freeByBlock, group) }
            try hold()
            byBlock.append(record)
        }
        var byCount: [FreeRecord] = []
        treeBlocks += try records(of: .freeByCount, headers) { (bytes, offset) throws(StorageError) in
            let record = FreeRecord(bytes, at: offset)
            if let last = byCount.last, (last.count, last.start) >= (record.count, record.start) {
                disorder(.freeByCount, group)
            }
            try hold()
            byCount.append(record)
        }
        try byCount.sortUnlessStopped { ($0.start, $0.count) < ($1.start, $1.count) }
        if try byBlock.sortedUnlessStopped(by: { ($0.start, $0.count) < ($1.start, $1.count) }) != byCount {
            sink.add(
                .treesDiffer, "the two trees of free space of group \(group.rawValue) differ",
                structure: "free space tree", offset: geometry.position(ofSector: 1, in: group))
        }
        release(byCount.count)
        let free = byBlock.reduce(UInt64(0)) { $0 + UInt64($1.count) }
        count(
            "free blocks", headers.free(GroupHeaders.FreeSpaceOffset.freeCount), UInt32(clamping: free),
            headers,
            sector: 1)
        count(
            "blocks in the longest free run", headers.free(GroupHeaders.FreeSpaceOffset.longest),
            byBlock.map(\.count).max() ?? 0, headers, sector: 1)
        var reverseBlocks: UInt32 = 0
        if GroupTree.reverseMap.exists(in: geometry) {
            try view.forEachLeaf(of: .reverseMap, in: headers) { (_) throws(StorageError) in
                reverseBlocks += 1
            } _: {
                (_) throws(StorageError) in
            }
            reverseBlocks -= min(reverseBlocks, 1)
        }
        if view.superblock.hasLazyCounters {
            count(
                "blocks of trees", headers.free(GroupHeaders.FreeSpaceOffset.treeBlockCount),
                treeBlocks - 2 + reverseBlocks, headers, sector: 1)
        }
        freeBlockCount +=
            free + UInt64(headers.free(GroupHeaders.FreeSpaceOffset.listCount)) + UInt64(treeBlocks - 2)
            + UInt64(reverseBlocks)
        use[Int(group.rawValue)].free = byBlock
    }

    private func checkReferences(_ headers: GroupHeaders) throws(StorageError) {
        guard GroupTree.references.exists(in: geometry) else { return }
        let group = headers.group
        let length = UInt64(geometry.blockCount(of: group))
        var found: [ReferenceRecord] = []
        let blocks = try records(of: .references, headers) { (bytes, offset) throws(StorageError) in
            let record = ReferenceRecord(bytes, at: offset)
            guard record.count > 0, record.end <= length else {
                throw view.badTree(.references, group, geometry.position(ofSector: 1, in: group))
            }
            if let last = found.last, last.isStaging == record.isStaging, last.end > UInt64(record.start) {
                disorder(.references, group)
            }
            try hold(2)
            found.append(record)
        }
        count(
            "blocks of reference counts", headers.free(GroupHeaders.FreeSpaceOffset.referencesBlockCount),
            blocks, headers, sector: 1)
        use[Int(group.rawValue)].shared = found.filter { !$0.isStaging }
        for record in found where record.isStaging {
            use[Int(group.rawValue)].fixed.append(
                Piece(start: record.start, end: UInt32(clamping: record.end)))
        }
    }

    /// The reverse map names no block that the group has not, in order; what it says is looked at as a whole.
    private func checkReverseMap(_ headers: GroupHeaders) throws(StorageError) {
        guard GroupTree.reverseMap.exists(in: geometry) else { return }
        let group = headers.group
        let length = UInt64(geometry.blockCount(of: group))
        var covered: UInt64 = 0
        var end: UInt64 = 0
        var last: UInt32 = 0
        let blocks = try records(of: .reverseMap, headers) { (bytes, offset) throws(StorageError) in
            let record = ReverseRecord(bytes, at: offset)
            guard record.count > 0, record.end <= length else {
                throw view.badTree(.reverseMap, group, geometry.position(ofSector: 1, in: group))
            }
            if record.start < last { disorder(.reverseMap, group) }
            last = record.start
            if record.end > end { covered += record.end - max(end, UInt64(record.start)) }
            end = max(end, record.end)
        }
        count(
            "blocks of the reverse map", headers.free(GroupHeaders.FreeSpaceOffset.reverseMapBlockCount),
            blocks,
            headers, sector: 1)
        let free = UInt64(headers.free(GroupHeaders.FreeSpaceOffset.freeCount))
        if covered + free != length {
            sink.add(
                .reverseMap,
                "the reverse map of group \(group.rawValue) knows \(covered) blocks, and \(length - min(free, length)) "
                    + "are used", structure: "reverse map", offset: geometry.position(ofSector: 1, in: group))
        }
    }

    private func collectUnlinked(_ headers: GroupHeaders) throws(StorageError) {
        for list in 0..<GroupHeaders.unlinkedListCount {
            var next = headers.inode(GroupHeaders.InodesOffset.unlinked + list * 4)
            var left = 1 << 20
            while next != .max, left > 0 {
                left -= 1
                let number = self.number(next, in: headers.group)
                try hold(4)
                guard unlinked.insert(number).inserted, let inode = try? view.rawInode(number) else { break }
                next = inode.bytes.big(Inode.Offset.nextUnlinked)
            }
        }
    }

    /// An inode's number from its number within its group.
    func number(_ inGroup: UInt32, in group: AGNumber) -> InodeNumber {
        InodeNumber(
            UInt64(group.rawValue) << UInt64(geometry.groupBlockLog + geometry.inodesPerBlockLog)
                | UInt64(inGroup))
    }

    private func checkInodes(_ headers: GroupHeaders) throws(StorageError) {
        let group = headers.group
        let isSparse = geometry.incompatible.contains(.sparseInodes)
        var chunks: [InodeRecord] = []
        _ = try records(of: .inodes, headers) { (bytes, offset) throws(StorageError) in
            let record = InodeRecord(bytes, at: offset, isSparse: isSparse)
            let last = UInt64(record.first) + UInt64(InodeRecord.inodeCount) - 1
            guard last >> UInt64(geometry.inodesPerBlockLog) < UInt64(geometry.blockCount(of: group)),
                record.isSound
            else { throw view.badTree(.inodes, group, geometry.position(ofSector: 2, in: group)) }
            if let before = chunks.last, before.first >= record.first { disorder(.inodes, group) }
            try hold(2)
            chunks.append(record)
        }
        if GroupTree.freeInodes.exists(in: geometry) {
            var free: [InodeRecord] = []
            _ = try records(of: .freeInodes, headers) { (bytes, offset) throws(StorageError) in
                try hold(2)
                free.append(InodeRecord(bytes, at: offset, isSparse: isSparse))
            }
            if free != chunks.filter({ $0.freeCount > 0 }) {
                sink.add(
                    .treesDiffer, "the two trees of inodes of group \(group.rawValue) differ",
                    structure: "free inode tree", offset: geometry.position(ofSector: 2, in: group))
            }
            release(free.count * 2)
        }
        let all = chunks.reduce(UInt64(0)) { $0 + UInt64($1.count) }
        let free = chunks.reduce(UInt64(0)) { $0 + UInt64($1.freeCount) }
        count(
            "inodes", headers.inode(GroupHeaders.InodesOffset.count), UInt32(clamping: all), headers,
            sector: 2)
        count(
            "free inodes", headers.inode(GroupHeaders.InodesOffset.freeCount), UInt32(clamping: free),
            headers,
            sector: 2)
        inodeCount += all
        freeInodeCount += free
        for chunk in chunks {
            try Cancellation.check()
            try checkChunk(chunk, group)
        }
        release(chunks.count * 2)
    }

    private func checkChunk(_ chunk: InodeRecord, _ group: AGNumber) throws(StorageError) {
        let perBlock = max(geometry.blockSize / geometry.inodeSize, 1)
        for index in 0..<InodeRecord.inodeCount where chunk.exists(index) {
            let number = self.number(chunk.first + UInt32(index), in: group)
            // A block of 64 KiB holds more than one record's inodes.
            if (Int(chunk.first) + index) % perBlock == 0 {
                try claimFixed(geometry.block(of: number), 1)
            }
            if chunk.isFree(index) {
                if let inode = try sink.attempt(
                    inode: number, { () throws(StorageError) in try view.rawInode(number) }), inode.mode != 0
                {
                    sink.add(
                        .inodeInUse, "\(inode.name) is marked free and in use", structure: "inode",
                        offset: inode.position, inode: number)
                }
            } else if try sink.attempt(
                inode: number, { () throws(StorageError) in try checkInode(number) }) == nil
            {
                isPartial = true
            }
        }
    }
}
