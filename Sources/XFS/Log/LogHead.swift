internal import Storage

/// Where the log ends, and from where on it has changes that may not have reached their places.
struct LogState: Sendable {
    /// The block behind the last record, where the next one goes.
    var head: Int
    /// The round that the next record is of.
    var cycle: UInt32
    /// The last record; nil for a log that was never written.
    var last: LogRecord?
    /// The first record that counts.
    var tail: Int
    /// Nothing is to be replayed.
    var isClean: Bool
}

extension LogRing {
    private var badLog: StorageError {
        .xfs(
            .corrupt, .badLog, "the log's end cannot be found; run xfs_repair", structure: "log",
            offset: position(of: 0))
    }

    /// Where the log ends, as the kernel finds it (xlog_find_head, xlog_find_tail): the place where rounds change, put
    /// right for blocks that were written out of order, for records that end early and for records that are torn.
    func state() throws(StorageError) -> LogState {
        guard let found = try findHead() else {
            return LogState(head: 0, cycle: 1, last: nil, tail: 0, isClean: true)
        }
        var head = found
        guard var last = try recordBefore(head, blocks: count) else { throw badLog }
        if let clean = try cleanState(last, head) { return clean }
        // Eight records may have been under way at once: the first of them that is torn is the end.
        var recent = [last]
        while recent.count < 8, let before = recent.last, before.block != before.tail.block,
            before.tail.block < count, let earlier = try record(before: before)
        {
            recent.append(earlier)
        }
        for record in recent.reversed() {
            guard try !payload(of: record).holds else { continue }
            head = record.block
            guard let whole = try recordBefore(head == 0 ? count : head, blocks: count) else { throw badLog }
            last = whole
            if let clean = try cleanState(last, head) { return clean }
            break
        }
        guard last.tail.block < count else { throw badLog }
        return LogState(
            head: wrapped(head), cycle: nextCycle(last, head), last: last, tail: last.tail.block,
            isClean: false)
    }

    /// The state where the last record says that the volume was unmounted.
    private func cleanState(_ last: LogRecord, _ head: Int) throws(StorageError) -> LogState? {
        guard last.operationCount == 1, wrapped(last.block + last.blockCount) == wrapped(head) else {
            return nil
        }
        let first = wrapped(last.block + last.headerBlockCount)
        let flags = try bytes(first, 1)[9]
        guard flags & LogOperation.Flags.unmount.rawValue != 0 else { return nil }
        return LogState(
            head: wrapped(head), cycle: nextCycle(last, head), last: last, tail: wrapped(head), isClean: true)
    }

    /// The round that goes on at the head: the next one where the last record lies behind it, or reached the ring's end.
    private func nextCycle(_ last: LogRecord, _ head: Int) -> UInt32 {
        let cycle: UInt32 = last.header.big(LogRecord.Offset.cycle)
        return last.block >= wrapped(head) ? cycle &+ 1 : cycle
    }

    /// The record before another in the ring.
    private func record(before later: LogRecord) throws(StorageError) -> LogRecord? {
        try recordBefore(later.block == 0 ? count : later.block, blocks: count - 1)
    }

    /// The last record header among the `blocks` blocks before `end`, around the ring's end.
    private func recordBefore(_ end: Int, blocks: Int) throws(StorageError) -> LogRecord? {
        for distance in 1...max(blocks, 1) {
            let block = end - distance
            let place = block < 0 ? block + count : block
            guard place >= 0, place < count else { break }
            if try isHeader(place) { return try record(at: place) }
            if distance > openBlockCount + longestRecordBlockCount { break }
        }
        return nil
    }

    // MARK: The head

    /// Nil for a log of zeros.
    private func findHead() throws(StorageError) -> Int? {
        let first = try cycle(0)
        let last = try cycle(count - 1)
        guard first != 0 else { return nil }
        if last == 0 {
            // Never written to its end.
            var head = try firstBlock(of: 0, before: count - 1)
            let scan = min(openBlockCount, head)
            head = try firstStraggler(from: head - scan, count: scan, of: 0) ?? head
            guard let end = try endOfRecord(before: head, from: head - scan, extra: 0) else { throw badLog }
            return end
        }
        var head = count
        var stop = last &- 1
        if first != last {
            stop = last
            head = try firstBlock(of: last, before: count - 1)
        }
        let scan = min(openBlockCount, count)
        if head >= scan {
            head = try firstStraggler(from: head - scan, count: scan, of: stop) ?? head
        } else {
            let behind = scan - head
            if let straggler = try firstStraggler(from: count - behind, count: behind, of: stop &- 1) {
                head = straggler
            } else {
                head = try firstStraggler(from: 0, count: head, of: stop) ?? head
            }
        }
        return wrapped(try endOfLastRecord(before: head))
    }

    /// The first block of a round, where all behind are of it and none before (xlog_find_cycle_start).
    private func firstBlock(of wanted: UInt32, before last: Int) throws(StorageError) -> Int {
        var low = 0
        var high = last
        var middle = (low + high) / 2
        while middle != low, middle != high {
            if try cycle(middle) == wanted { high = middle } else { low = middle }
            middle = (low + high) / 2
        }
        return high
    }

    private func firstStraggler(
        from start: Int, count: Int, of stop: UInt32
    ) throws(StorageError) -> Int? {
        for block in start..<start + max(count, 0) where try cycle(block) == stop { return block }
        return nil
    }

    private func endOfLastRecord(before head: Int) throws(StorageError) -> Int {
        let scan = min(longestRecordBlockCount, count)
        if head >= scan {
            guard let end = try endOfRecord(before: head, from: head - scan, extra: 0) else { throw badLog }
            return end
        }
        if let end = try endOfRecord(before: head, from: 0, extra: 0) { return end }
        // The record began before the ring's end.
        guard let end = try endOfRecord(before: count, from: count - (scan - head), extra: head) else {
            throw badLog
        }
        return end == count ? head : end
    }

    /// `end`, where the last record header before it begins a record that ends there, `extra` blocks on; the place of
    /// that header where it does not. Nil where there is no header (xlog_find_verify_log_record).
    private func endOfRecord(before end: Int, from start: Int, extra: Int) throws(StorageError) -> Int? {
        for block in stride(from: end - 1, through: max(start, 0), by: -1) where try isHeader(block) {
            guard let record = try record(at: block), end - block + extra == record.blockCount else {
                return block
            }
            return end
        }
        return nil
    }
}
