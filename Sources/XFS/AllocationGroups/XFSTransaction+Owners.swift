internal import Storage

/// Who owns blocks, and how many: the reverse map and the counts of shared blocks.
extension XFSTransaction {
    /// Notes that a file has blocks from now on.
    func addOwner(
        _ run: BlockRun, _ inode: InodeNumber, fileBlock: UInt64, flags: UInt64 = 0
    ) throws(StorageError) {
        guard GroupTree.reverseMap.exists(in: geometry) else { return }
        let record = ReverseRecord(
            start: run.start, count: run.count, owner: Int64(bitPattern: inode.rawValue),
            offset: fileBlock | flags)
        try insert(record.bytes, into: .reverseMap, run.group)
    }

    /// Takes blocks out of the reverse map: what is left of the record before and behind stays.
    func removeOwner(
        _ run: BlockRun, _ inode: InodeNumber, fileBlock: UInt64, flags: UInt64
    ) throws(StorageError) {
        guard GroupTree.reverseMap.exists(in: geometry) else { return }
        let owner = Int64(bitPattern: inode.rawValue)
        let isMapBlock = flags & ReverseRecord.mapBlockBit != 0
        let record = try reverseRecord(run, owner: owner, fileBlock: fileBlock, flags: flags)
        let skipped = run.start - record.start
        let rest = UInt32(truncatingIfNeeded: record.end) - run.start - run.count
        var left: [ReverseRecord] = []
        if skipped > 0 {
            left.append(
                ReverseRecord(start: record.start, count: skipped, owner: owner, offset: record.offset))
        }
        if rest > 0 {
            let offset = isMapBlock ? record.offset : record.offset + UInt64(skipped + run.count)
            left.append(
                ReverseRecord(start: run.start + run.count, count: rest, owner: owner, offset: offset))
        }
        guard let first = left.first else { return try remove(record.bytes, from: .reverseMap, run.group) }
        try replace(record.bytes, by: first.bytes, in: .reverseMap, run.group)
        for further in left.dropFirst() { try insert(further.bytes, into: .reverseMap, run.group) }
    }

    /// The record that says that a file has these blocks at that place.
    private func reverseRecord(
        _ run: BlockRun, owner: Int64, fileBlock: UInt64, flags: UInt64
    ) throws(StorageError) -> ReverseRecord {
        let headers = try headers(of: run.group)
        let isMapBlock = flags & ReverseRecord.mapBlockBit != 0
        func holds(_ record: ReverseRecord) -> Bool {
            guard record.owner == owner, record.start <= run.start,
                record.end >= UInt64(run.start) + UInt64(run.count),
                record.offset
                    & (ReverseRecord.attributeBit | ReverseRecord.mapBlockBit | ReverseRecord.unwrittenBit)
                    == flags
            else { return false }
            let place = record.offset & (1 << 54 - 1)
            return isMapBlock || place + UInt64(run.start - record.start) == fileBlock
        }
        let wanted = ReverseRecord(
            start: run.start, count: run.count, owner: owner, offset: (isMapBlock ? 0 : fileBlock) | flags)
        let path = try path(
            to: TreeRecordKey(.reverseMap, wanted.bytes, at: 0, isRecord: true), in: .reverseMap, headers)
        for index in [path.index, path.index - 1] where index >= 0 && index < path.leaf.count {
            let record = ReverseRecord(path.leaf.bytes, at: path.leaf.recordOffset(index))
            if holds(record) { return record }
        }
        // Shared blocks: records of other files may begin in between.
        var found: ReverseRecord?
        try forEachLeaf(of: .reverseMap, in: headers) { (leaf) throws(StorageError) in
            for index in 0..<leaf.count where found == nil {
                let record = ReverseRecord(leaf.bytes, at: leaf.recordOffset(index))
                if holds(record) { found = record }
            }
        }
        guard let found else {
            throw badTree(.reverseMap, run.group, geometry.position(ofSector: 1, in: run.group))
        }
        return found
    }

    /// Takes one file off blocks that several share; returns the parts that nobody else has.
    func unshare(_ run: BlockRun) throws(StorageError) -> [BlockRun] {
        guard GroupTree.references.exists(in: geometry) else { return [run] }
        let end = run.start + run.count
        var overlapping: [ReferenceRecord] = []
        var neighbours: [ReferenceRecord] = []
        try forEachLeaf(of: .references, in: headers(of: run.group)) { (leaf) throws(StorageError) in
            for index in 0..<leaf.count {
                let record = ReferenceRecord(leaf.bytes, at: leaf.recordOffset(index))
                guard !record.isStaging else { continue }
                if record.start < end, record.end > UInt64(run.start) {
                    overlapping.append(record)
                } else if record.start == end || record.end == UInt64(run.start) {
                    neighbours.append(record)
                }
            }
        }
        guard !overlapping.isEmpty else { return [run] }
        var alone: [BlockRun] = []
        var pieces = neighbours
        var next = run.start
        for record in overlapping {
            let first = max(record.start, run.start)
            let last = min(UInt32(truncatingIfNeeded: record.end), end)
            if first > next { alone.append(BlockRun(group: run.group, start: next, count: first - next)) }
            if record.start < first {
                pieces.append(
                    ReferenceRecord(
                        start: record.start, count: first - record.start, references: record.references))
            }
            if record.references > 2 {
                pieces.append(
                    ReferenceRecord(start: first, count: last - first, references: record.references - 1))
            }
            if record.end > UInt64(last) {
                pieces.append(
                    ReferenceRecord(
                        start: last, count: UInt32(record.end - UInt64(last)), references: record.references))
            }
            next = last
        }
        if next < end { alone.append(BlockRun(group: run.group, start: next, count: end - next)) }
        // Neighbours of the same count are one record.
        pieces.sort { $0.start < $1.start }
        var after: [ReferenceRecord] = []
        for piece in pieces {
            if let last = after.last, last.end == UInt64(piece.start), last.references == piece.references {
                after[after.count - 1].count += piece.count
            } else {
                after.append(piece)
            }
        }
        let before = overlapping + neighbours
        for record in before where !after.contains(record) {
            try remove(record.bytes, from: .references, run.group)
        }
        for record in after where !before.contains(record) {
            try insert(record.bytes, into: .references, run.group)
        }
        return alone
    }
}
