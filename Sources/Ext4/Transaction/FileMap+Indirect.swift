internal import Storage

extension IndirectMap {
    /// The first file block that one of the inode's 15 words covers.
    static func firstLogical(slot: Int, pointersPerBlock: UInt64) -> UInt64 {
        guard slot > 11 else { return UInt64(slot) }
        var first = directCount
        var reach = pointersPerBlock
        for _ in 12..<slot {
            first += reach
            reach *= pointersPerBlock
        }
        return first
    }
}

extension Ext4Transaction {
    /// Builds the indirect map of `runs` and returns how many blocks it takes.
    func storePointers(
        _ runs: [MappedRun], in inode: inout Inode, _ pool: inout TreeBlockPool
    ) throws(StorageError) -> UInt64 {
        if let last = runs.last,
            last.end > IndirectMap.firstLogical(slot: 15, pointersPerBlock: pointersPerBlock)
        {
            throw .ext4(.refused, .fileTooLong, "\(inode.name) would be longer than its block map can say")
        }
        var cursor = RunCursor(runs: runs)
        var used: UInt64 = 0
        for slot in 0..<15 {
            var logical = IndirectMap.firstLogical(slot: slot, pointersPerBlock: pointersPerBlock)
            let pointer = try pointer(
                levels: max(0, slot - 11), logical: &logical, &cursor, &pool, &used)
            inode.bytes.storeLittle(pointer, at: Inode.Offset.map + slot * 4)
        }
        return used
    }

    /// The pointer for what begins at `logical`, `levels` blocks of pointers above the contents; moves on behind it.
    private func pointer(
        levels: Int, logical: inout UInt64, _ cursor: inout RunCursor, _ pool: inout TreeBlockPool,
        _ used: inout UInt64
    ) throws(StorageError) -> UInt32 {
        var covered: UInt64 = 1
        for _ in 0..<levels { covered *= pointersPerBlock }
        guard cursor.hasBlocks(in: logical..<logical + covered) else {
            logical += covered
            return 0
        }
        if levels == 0 {
            let block = cursor.block(at: logical)
            logical += 1
            guard let block, let pointer = UInt32(exactly: block.rawValue) else {
                throw .ext4(.refused, .noSpace, "the block map of a file cannot reach past block 2^32")
            }
            return pointer
        }
        let ahead = try pool.takeAhead(self)
        used += 1
        var bytes = [UInt8](repeating: 0, count: geometry.blockSize)
        for slot in 0..<Int(pointersPerBlock) {
            let child = try pointer(levels: levels - 1, logical: &logical, &cursor, &pool, &used)
            bytes.storeLittle(child, at: slot * 4)
        }
        let number: BlockNumber
        if let ahead { number = ahead } else { number = try pool.take(for: bytes, self) }
        try store(bytes, at: number, role: .map)
        guard let pointer = UInt32(exactly: number.rawValue) else {
            throw .ext4(.refused, .noSpace, "the block map of a file cannot reach past block 2^32")
        }
        return pointer
    }
}

/// Goes through sorted runs as file blocks are asked for in ascending order.
struct RunCursor {
    private let runs: [MappedRun]
    private var index = 0

    init(runs: [MappedRun]) { self.runs = runs }

    mutating func hasBlocks(in range: Range<UInt64>) -> Bool {
        while index < runs.count, runs[index].end <= range.lowerBound { index += 1 }
        return index < runs.count && runs[index].logical < range.upperBound
    }

    mutating func block(at logical: UInt64) -> BlockNumber? {
        guard hasBlocks(in: logical..<logical + 1) else { return nil }
        return runs[index].firstBlock?.advanced(by: logical - runs[index].logical)
    }
}
