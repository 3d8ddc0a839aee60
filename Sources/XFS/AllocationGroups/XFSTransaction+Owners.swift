internal import Storage

/// Who owns blocks, and how many: the reverse map and the counts of shared blocks.
extension XFSTransaction {
    /// Who has blocks, and where in a file: three bits of the offset say which fork and what state (xfs_rmap_irec).
    struct BlockOwner {
        var owner: Int64
        var offset: UInt64 = 0

        init(owner: Int64) { self.owner = owner }

        /// Contents of a fork, from a block of it on.
        init(_ inode: InodeNumber, _ fork: Inode.Fork, fileBlock: UInt64, isUnwritten: Bool = false) {
            owner = Int64(bitPattern: inode.rawValue)
            offset =
                fileBlock | (fork == .attributes ? ReverseRecord.attributeBit : 0)
                | (isUnwritten ? ReverseRecord.unwrittenBit : 0)
        }

        /// Blocks of a fork's map.
        init(mapOf inode: InodeNumber, _ fork: Inode.Fork) {
            owner = Int64(bitPattern: inode.rawValue)
            offset = ReverseRecord.mapBlockBit | (fork == .attributes ? ReverseRecord.attributeBit : 0)
        }

        private static let flagBits =
            ReverseRecord.attributeBit | ReverseRecord.mapBlockBit | ReverseRecord.unwrittenBit
        /// Metadata and map blocks have no place in a file.
        var hasPlace: Bool { owner >= 0 && offset & ReverseRecord.mapBlockBit == 0 }

        /// Whether a record is of the same owner, fork and state.
        func matches(_ record: ReverseRecord) -> Bool {
            record.owner == owner && record.offset & Self.flagBits == offset & Self.flagBits
        }

        /// What a record would have to say at a distance from the first block.
        func offset(at distance: Int64) -> UInt64 {
            hasPlace ? offset &+ UInt64(bitPattern: distance) : offset
        }
    }

    /// Notes that somebody has blocks from now on.
    func addOwner(_ run: BlockRun, _ owner: BlockOwner) throws(StorageError) {
        guard GroupTree.reverseMap.exists(in: geometry) else { return }
        try fillSpareBlocks(run.group)
        try enter(run, owner)
    }

    /// Puts blocks into the reverse map; a record that goes on into them, or that they go on into, grows.
    func enter(_ run: BlockRun, _ owner: BlockOwner) throws(StorageError) {
        guard GroupTree.reverseMap.exists(in: geometry) else { return }
        let record = ReverseRecord(
            start: run.start, count: run.count, owner: owner.owner, offset: owner.offset)
        let path = try path(
            to: TreeRecordKey(.reverseMap, record.bytes, at: 0, isRecord: true), in: .reverseMap,
            headers(of: run.group))
        var before: ReverseRecord?
        var behind: ReverseRecord?
        for candidate in try neighbours(of: path) where owner.matches(candidate) {
            let distance = Int64(candidate.start) - Int64(run.start)
            guard candidate.offset == owner.offset(at: distance) else { continue }
            if candidate.end == UInt64(run.start) { before = candidate }
            if candidate.start == run.start + run.count { behind = candidate }
        }
        var grown = record
        if let before {
            grown.start = before.start
            grown.offset = before.offset
            grown.count += before.count
        }
        if let behind { grown.count += behind.count }
        switch (before, behind) {
        case (let before?, let behind?):
            try remove(behind.bytes, from: .reverseMap, run.group)
            try replace(before.bytes, by: grown.bytes, in: .reverseMap, run.group)
        case (let one?, nil), (nil, let one?):
            try replace(one.bytes, by: grown.bytes, in: .reverseMap, run.group)
        case (nil, nil): try insert(record.bytes, into: .reverseMap, run.group)
        }
    }

    /// Records of the leaf that a path leads to, and those beside the leaf.
    private func neighbours(of path: TreePath) throws(StorageError) -> [ReverseRecord] {
        let leaf = path.leaf
        var result = (0..<leaf.count).map { ReverseRecord(leaf.bytes, at: leaf.recordOffset($0)) }
        if path.index == 0, leaf.left != .none {
            let other = try treeNode(leaf.left, of: .reverseMap, in: leaf.group, level: 0)
            result += (0..<other.count).map { ReverseRecord(other.bytes, at: other.recordOffset($0)) }
        }
        if path.index == leaf.count, leaf.right != .none {
            let other = try treeNode(leaf.right, of: .reverseMap, in: leaf.group, level: 0)
            result += (0..<other.count).map { ReverseRecord(other.bytes, at: other.recordOffset($0)) }
        }
        return result
    }

    /// Takes blocks out of the reverse map: what is left of the record before and behind stays.
    func removeOwner(_ run: BlockRun, _ owner: BlockOwner) throws(StorageError) {
        guard GroupTree.reverseMap.exists(in: geometry) else { return }
        try fillSpareBlocks(run.group)
        try leave(run, owner)
    }

    /// Takes blocks out of the reverse map, whose tree may use spare blocks.
    func leave(_ run: BlockRun, _ owner: BlockOwner) throws(StorageError) {
        guard GroupTree.reverseMap.exists(in: geometry) else { return }
        let record = try reverseRecord(run, owner)
        let skipped = run.start - record.start
        let rest = UInt32(truncatingIfNeeded: record.end) - run.start - run.count
        var left: [ReverseRecord] = []
        if skipped > 0 {
            left.append(
                ReverseRecord(
                    start: record.start, count: skipped, owner: record.owner, offset: record.offset))
        }
        if rest > 0 {
            left.append(
                ReverseRecord(
                    start: run.start + run.count, count: rest, owner: record.owner,
                    offset: owner.offset(at: Int64(run.count))))
        }
        guard let first = left.first else { return try remove(record.bytes, from: .reverseMap, run.group) }
        try replace(record.bytes, by: first.bytes, in: .reverseMap, run.group)
        for further in left.dropFirst() { try insert(further.bytes, into: .reverseMap, run.group) }
    }

    /// The record that says that somebody has these blocks at that place.
    private func reverseRecord(
        _ run: BlockRun, _ owner: BlockOwner
    ) throws(StorageError) -> ReverseRecord {
        let headers = try headers(of: run.group)
        func holds(_ record: ReverseRecord) -> Bool {
            record.start <= run.start && record.end >= UInt64(run.start) + UInt64(run.count)
                && owner.matches(record)
                && record.offset == owner.offset(at: Int64(record.start) - Int64(run.start))
        }
        let wanted = ReverseRecord(
            start: run.start, count: run.count, owner: owner.owner, offset: owner.offset)
        let path = try path(
            to: TreeRecordKey(.reverseMap, wanted.bytes, at: 0, isRecord: true), in: .reverseMap, headers)
        for record in try neighbours(of: path) where holds(record) { return record }
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
        try fillSpareBlocks(run.group)
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
