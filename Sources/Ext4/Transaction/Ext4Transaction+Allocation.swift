internal import Storage

extension Ext4Transaction {
    /// How many groups are searched for room in one piece before pieces are taken.
    private static var groupsTriedForOnePiece: UInt64 { 16 }

    /// Quotas are kept in hidden files that are not updated here, so nothing they count may change.
    func requireNoQuota() throws(StorageError) {
        guard geometry.readOnly.isDisjoint(with: [.quota, .projectQuota]) else {
            throw .ext4(
                .refused, .quota,
                "the file system keeps quotas, which a change of blocks, inodes or owners would make wrong; "
                    + "turn them off with tune2fs -O ^quota,^project")
        }
    }

    /// Takes `count` blocks, near `goal` and in as few runs as it can. Throws `refused` when the volume is full.
    func allocate(_ count: UInt64, near goal: BlockNumber) throws(StorageError) -> [Range<BlockNumber>] {
        try requireNoQuota()
        var left = count
        var result: [Range<BlockNumber>] = []
        let first = min(geometry.group(of: goal), geometry.groupCount - 1)
        // First round: one piece. Second: whatever there is.
        for onePiece in [true, false] {
            var tried: UInt64 = 0
            for step in 0..<geometry.groupCount where left > 0 {
                let group = (first + step) % geometry.groupCount
                let free = UInt64(try descriptor(group).freeBlockCount)
                if free == 0 || onePiece && free < left { continue }
                tried += 1
                if onePiece, tried > Self.groupsTriedForOnePiece { break }
                let start =
                    step == 0 && onePiece ? goal.rawValue - geometry.firstBlock(ofGroup: group).rawValue : 0
                try take(&left, from: group, start: start, onePiece: onePiece, into: &result)
            }
        }
        guard left == 0 else {
            throw .ext4(
                .refused, .noSpace,
                "the file system is full: \(count) blocks are needed and \(count - left) are free")
        }
        return result
    }

    private func take(
        _ left: inout UInt64, from group: UInt64, start: UInt64, onePiece: Bool,
        into result: inout [Range<BlockNumber>]
    ) throws(StorageError) {
        // Taken out and put back, so that it is changed in its place.
        var bitmap = try blockBitmap(group)
        blockBitmaps[group] = nil
        defer { blockBitmaps[group] = bitmap }
        let first = geometry.firstBlock(ofGroup: group)
        let zone = try protectedZone()
        // In one piece a run may begin before the goal; in the second round each search goes on behind the last.
        var from = min(Int(clamping: start), bitmap.count)
        var wrapped = from == 0
        while left > 0 {
            let wanted = Int(clamping: min(left, UInt64(bitmap.count)))
            guard let run = bitmap.run(of: wanted, from: from), !onePiece || run.count == wanted else {
                guard !wrapped else { return }
                wrapped = true
                from = 0
                continue
            }
            let blocks = Range(first.advanced(by: UInt64(run.lowerBound)), count: UInt64(run.count))
            guard !zone.overlaps(blocks) else {
                throw .ext4(
                    .corrupt, .bitmapDamaged,
                    "group \(group)'s block bitmap calls blocks free that hold the volume's own structures; "
                        + "run e2fsck", structure: "block bitmap")
            }
            for bit in run { bitmap.set(bit) }
            for block in blocks.numbers { fresh.insert(block) }
            try changeFreeBlocks(of: group, by: -Int64(run.count))
            result.append(blocks)
            left -= UInt64(run.count)
        }
    }

    /// Takes one block near `goal`.
    func allocateBlock(near goal: BlockNumber) throws(StorageError) -> BlockNumber {
        let runs = try allocate(1, near: goal)
        guard let first = runs.first else {
            throw .ext4(.refused, .noSpace, "the file system is full")
        }
        return first.lowerBound
    }

    /// Gives blocks back. Throws `corrupt` when they were not in use or belong to the volume itself.
    func free(_ blocks: Range<BlockNumber>) throws(StorageError) {
        try requireNoQuota()
        guard try !protectedZone().overlaps(blocks) else {
            throw .ext4(
                .corrupt, .blockOutOfRange,
                "a file claims blocks \(blocks.lowerBound.rawValue) to \(blocks.upperBound.rawValue - 1), which hold the volume's "
                    + "own structures; run e2fsck")
        }
        var position = blocks.lowerBound
        while position < blocks.upperBound {
            let group = geometry.group(of: position)
            let first = geometry.firstBlock(ofGroup: group)
            var bitmap = try blockBitmap(group)
            blockBitmaps[group] = nil
            defer { blockBitmaps[group] = bitmap }
            let end = min(blocks.upperBound, first.advanced(by: UInt64(bitmap.count)))
            // A group's blocks end where the next group's begin; nothing can be behind the last.
            guard end > position else { return }
            for block in (position..<end).numbers {
                let bit = Int(block.rawValue - first.rawValue)
                guard bitmap.isSet(bit) else {
                    throw .ext4(
                        .corrupt, .bitmapDamaged,
                        "block \(block.rawValue) belongs to a file and the block bitmap calls it free; run e2fsck",
                        structure: "block bitmap")
                }
                bitmap.clear(bit)
                dirty[block] = nil
                verified[block] = nil
                fresh.remove(block)
            }
            try changeFreeBlocks(of: group, by: Int64((position..<end).count))
            position = end
        }
    }

    private func changeFreeBlocks(of group: UInt64, by change: Int64) throws(StorageError) {
        gate.noteChange()
        var descriptor = try descriptor(group)
        guard let count = UInt32(exactly: Int64(descriptor.freeBlockCount) + change) else {
            throw .ext4(
                .corrupt, .bitmapCount, "group \(group)'s count of free blocks is wrong; run e2fsck",
                structure: "group descriptor")
        }
        descriptor.freeBlockCount = count
        try store(descriptor)
        freeBlockChange += change
    }
}
