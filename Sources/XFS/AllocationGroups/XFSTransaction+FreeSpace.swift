internal import Storage

/// Taking and giving back blocks of a group: both trees of free space, the header's counts, the reverse map.
extension XFSTransaction {
    /// A run of blocks of one group.
    struct BlockRun: Equatable, Sendable {
        var group: AGNumber
        var start: UInt32
        var count: UInt32
    }

    /// Blocks that are wanted.
    struct BlockRequest {
        /// As many of them as there are in one run.
        var count: UInt32
        /// Fewer are of no use.
        var minimum: UInt32 = 1
        /// The first one is a multiple of it within its group.
        var alignment: UInt32 = 1
        /// What the file system itself needs may come out of what is left to the kernel.
        var isMetadata = false
    }

    /// Blocks that are left to the kernel, which keeps some of each group for its trees.
    private func margin(_ group: AGNumber, _ request: BlockRequest) -> UInt32 {
        request.isMetadata ? 16 : 64 + geometry.blockCount(of: group) / 32
    }

    /// Counts free blocks of a group. One that becomes a spare one stays free for the volume as a whole.
    func countFree(_ change: Int64, _ group: AGNumber, isSpare: Bool = false) throws(StorageError) {
        let headers = try headers(of: group)
        let free = Int64(headers.free(GroupHeaders.FreeSpaceOffset.freeCount)) + change
        guard let count = UInt32(exactly: free), count <= geometry.blockCount(of: group) else {
            throw badTree(.freeByBlock, group, geometry.position(ofSector: 1, in: group))
        }
        let longest = try longestRun(headers)
        try changeHeader(.freeSpace, group) { bytes in
            bytes.storeBig(count, at: GroupHeaders.FreeSpaceOffset.freeCount)
            bytes.storeBig(longest, at: GroupHeaders.FreeSpaceOffset.longest)
        }
        if !isSpare { state.freeBlockChange += change }
    }

    private func longestRun(_ headers: GroupHeaders) throws(StorageError) -> UInt32 {
        let all = try runsByLength(headers)
        return all.last?.count ?? 0
    }

    /// The free runs of the last leaf of the tree by length: the longest ones, the longest last.
    func runsByLength(_ headers: GroupHeaders) throws(StorageError) -> [FreeRecord] {
        var last = [UInt8](repeating: 0xff, count: 8)
        last.storeBig(UInt32.max, at: 0)
        let key = TreeRecordKey(.freeByCount, last, at: 0, isRecord: true)
        let leaf = try path(to: key, in: .freeByCount, headers).leaf
        return (0..<leaf.count).map { FreeRecord(leaf.bytes, at: leaf.recordOffset($0)) }
    }

    /// Takes blocks, all in one run: from the end of the longest free run of the first group that has some, `near` asked
    /// first. Blocks that this change gave back are left alone.
    func takeBlocks(_ request: BlockRequest, near: AGNumber) throws(StorageError) -> BlockRun {
        var refusal: StorageError?
        for distance in 0..<geometry.groupCount {
            let group = geometry.group(distance, behind: near)
            let before = state
            do throws(StorageError) {
                if let run = try takeBlocks(request, in: group) { return run }
            } catch {
                guard error.kind == .refused else { throw error }
                refusal = refusal ?? error
                state = before
            }
        }
        let wanted = request.count == 1 ? "1 block is" : "\(request.count) blocks are"
        throw refusal
            ?? .xfs(
                .refused, .noSpace,
                "the volume is full: \(wanted) needed, and what is free is left to the kernel for its trees; remove "
                    + "files from it, or make it longer")
    }

    func takeBlocks(_ request: BlockRequest, in group: AGNumber) throws(StorageError) -> BlockRun? {
        let margin = margin(group, request)
        guard try headers(of: group).free(GroupHeaders.FreeSpaceOffset.freeCount) > margin else { return nil }
        try fillSpareBlocks(group)
        let headers = try headers(of: group)
        let free = headers.free(GroupHeaders.FreeSpaceOffset.freeCount)
        guard free > margin else { return nil }
        let wanted = min(request.count, free - margin, 0x1f_ffff)
        guard wanted >= request.minimum else { return nil }
        for record in try runsByLength(headers).reversed() {
            guard record.count > 0, record.end <= UInt64(geometry.blockCount(of: group)) else {
                throw badTree(.freeByCount, group, geometry.position(ofSector: 1, in: group))
            }
            guard let part = usablePart(of: record, group) else { continue }
            let length = min(wanted, UInt32(part.count))
            guard length > 0, length >= request.minimum else { continue }
            let start = (part.upperBound - length) / request.alignment * request.alignment
            guard start >= part.lowerBound else { continue }
            try takeRun(start..<start + length, from: record, group)
            return BlockRun(group: group, start: start, count: length)
        }
        return nil
    }

    /// The longest part of a free run without blocks that this change gave back.
    private func usablePart(of record: FreeRecord, _ group: AGNumber) -> Range<UInt32>? {
        let end = UInt32(truncatingIfNeeded: record.end)
        var best: Range<UInt32>?
        var start = record.start
        for range in (state.freed[group] ?? []).sorted(by: { $0.lowerBound < $1.lowerBound })
        where range.upperBound > record.start && range.lowerBound < end {
            if range.lowerBound > start, range.lowerBound - start > UInt32(best?.count ?? 0) {
                best = start..<range.lowerBound
            }
            start = max(start, range.upperBound)
        }
        if start < end, end - start >= UInt32(best?.count ?? 0) { best = start..<end }
        return best
    }

    /// Takes blocks out of a free run: what is left of it before and behind stays free.
    private func takeRun(
        _ range: Range<UInt32>, from record: FreeRecord, _ group: AGNumber
    ) throws(StorageError) {
        try requireOutsideLog(BlockRun(group: group, start: range.lowerBound, count: UInt32(range.count)))
        let end = UInt32(truncatingIfNeeded: record.end)
        let before = FreeRecord(start: record.start, count: range.lowerBound - record.start)
        let behind = FreeRecord(start: range.upperBound, count: end - range.upperBound)
        let rest = [before, behind].filter { $0.count > 0 }
        try exchange([record], for: rest, group)
        try countFree(-Int64(range.count), group)
    }

    /// Puts free runs in the place of others, in both trees.
    func exchange(
        _ old: [FreeRecord], for new: [FreeRecord], _ group: AGNumber
    ) throws(StorageError) {
        for kind in [GroupTree.freeByBlock, .freeByCount] {
            if let first = old.first, let replacement = new.first {
                try replace(first.bytes, by: replacement.bytes, in: kind, group)
            }
            for record in old.dropFirst(new.isEmpty ? 0 : 1) { try remove(record.bytes, from: kind, group) }
            for record in new.dropFirst(old.isEmpty ? 0 : 1) { try insert(record.bytes, into: kind, group) }
        }
    }

    /// Gives blocks back; a free run beside them grows.
    func freeBlocks(_ run: BlockRun) throws(StorageError) {
        try fillSpareBlocks(run.group)
        try giveBack(run)
    }

    /// Gives blocks back that nobody owns any more.
    func giveBack(_ run: BlockRun, isSpare: Bool = false) throws(StorageError) {
        try requireOutsideLog(run)
        let headers = try headers(of: run.group)
        let before = run.start > 0 ? try freeRun(at: run.start - 1, headers) : nil
        let behind = try freeRun(at: run.start + run.count, headers)
        guard try freeRun(at: run.start, headers) == nil, before.map({ $0.end == UInt64(run.start) }) ?? true,
            behind.map({ $0.start == run.start + run.count }) ?? true
        else { throw badTree(.freeByBlock, run.group, geometry.position(ofSector: 1, in: run.group)) }
        let merged = FreeRecord(
            start: before?.start ?? run.start,
            count: run.count + (before?.count ?? 0) + (behind?.count ?? 0))
        try exchange([before, behind].compactMap(\.self), for: [merged], run.group)
        try countFree(Int64(run.count), run.group, isSpare: isSpare)
        state.freed[run.group, default: []].append(run.start..<run.start + run.count)
    }

    /// No free run and no file has blocks of the log: what goes there would be lost, and the log with it.
    func requireOutsideLog(_ run: BlockRun) throws(StorageError) {
        let log = FSBlock(superblock.long(Superblock.Offset.logStart))
        guard log.rawValue != 0, geometry.group(of: log) == UInt64(run.group.rawValue) else { return }
        let start = UInt64(geometry.groupBlock(of: log).rawValue)
        let end = start + UInt64(superblock.word(Superblock.Offset.logBlockCount))
        guard UInt64(run.start) >= end || UInt64(run.start) + UInt64(run.count) <= start else {
            throw badTree(.freeByBlock, run.group, geometry.position(ofSector: 1, in: run.group))
        }
    }

    /// The free run that holds a block.
    private func freeRun(at block: UInt32, _ headers: GroupHeaders) throws(StorageError) -> FreeRecord? {
        let probe = FreeRecord(start: block, count: 0).bytes
        let path = try path(
            to: TreeRecordKey(.freeByBlock, probe, at: 0, isRecord: true), in: .freeByBlock, headers)
        let leaf = path.leaf
        for index in [path.index - 1, path.index] where index >= 0 && index < leaf.count {
            let record = FreeRecord(leaf.bytes, at: leaf.recordOffset(index))
            if record.start <= block, record.end > UInt64(block) { return record }
        }
        return nil
    }
}
