internal import Storage

/// A change written through the log: one record with all that changes, or a few where one has no room, and behind them the
/// record that says that the volume was unmounted, so that the log is clean in the end and a boot loader, which replays no log, sees the change.
struct LogCommit {
    /// A structure as it will be.
    struct Buffer: Sendable {
        let position: UInt64
        let bytes: [UInt8]
        /// enum xfs_blft.
        let type: UInt16
        /// What of it differs from what is on the device, in chunks.
        let runs: [Range<Int>]

        init(position: UInt64, bytes: [UInt8], type: UInt16, was old: [UInt8]? = nil) {
            self.position = position
            self.bytes = bytes
            self.type = type
            runs = old.map { Self.runs(bytes, $0) } ?? [0..<bytes.count / LoggedBuffer.chunk]
        }

        /// Chunks in which two contents of a length differ.
        static func runs(_ new: [UInt8], _ old: [UInt8]) -> [Range<Int>] {
            var runs: [Range<Int>] = []
            let size = LoggedBuffer.chunk
            for chunk in 0..<min(new.count, old.count) / size {
                let place = chunk * size..<(chunk + 1) * size
                guard !new.span8.extracting(place).isEqual(old.span8.extracting(place)) else { continue }
                if runs.last?.upperBound == chunk, let last = runs.popLast() {
                    runs.append(last.lowerBound..<chunk + 1)
                } else {
                    runs.append(chunk..<chunk + 1)
                }
            }
            return runs
        }
    }

    /// Records that a change may take: as many as the kernel's own may be under way at once, less those that it looks
    /// behind the end for.
    private static let maximumRecordCount = 6

    /// Blocks behind the head that get what the kernel's mount would give them, where they hold something else.
    let stamps: [OrderedWrites.Write]
    /// Records in their order, each to be on stable storage before the next; the last one's last sector is the commit.
    let records: [[OrderedWrites.Write]]
    let unmount: [OrderedWrites.Write]
    /// The log afterwards.
    let stateAfter: LogState

    private static let transactionClient: UInt8 = 0x69
    private static let logClient: UInt8 = 0xaa
    private static let checkpointType: UInt32 = 40
    private static let unmountMagic: UInt16 = 0x556e

    /// - Throws: `refused`, code "log-full", for a change that the log has no room for.
    init(
        _ ring: LogRing, _ state: LogState, _ buffers: [Buffer], uuid: [UInt8], unit: Int, transaction: UInt32
    ) throws(StorageError) {
        var records: [[OrderedWrites.Write]] = []
        var head = state.head
        var cycle = state.cycle
        var previous = state.last?.block
        var blockCount = 0
        let tail = LogSequence(cycle: cycle, block: head)
        var payload: [UInt8] = []
        var count = 0
        func write(isLast: Bool) throws(StorageError) {
            guard records.count < Self.maximumRecordCount else { throw Self.full }
            let written = try LogRecordWriter(
                ring, at: head, cycle: cycle, tail: tail, previous: previous, payload: payload,
                operationCount: count, uuid: uuid, unit: unit, isOneOfSeveral: !isLast || !records.isEmpty)
            records.append(written.writes)
            previous = head
            head = written.head
            cycle = written.nextCycle
            blockCount += written.blockCount
            payload = []
            count = 0
        }
        for operation in Self.operations(buffers, transaction) {
            if count > 0,
                payload.count + operation.count > LogRecordWriter.capacity(ring, at: head, unit: unit)
            {
                try write(isLast: false)
            }
            payload += operation
            count += 1
        }
        try write(isLast: true)
        let last = try LogRecordWriter(
            ring, at: head, cycle: cycle, tail: LogSequence(cycle: cycle, block: head), previous: previous,
            payload: Self.unmountOperation(transaction), operationCount: 1, uuid: uuid, unit: unit)
        // A record must not reach round to what it follows.
        guard blockCount + last.blockCount + ring.longestRecordBlockCount < ring.count else {
            throw Self.full
        }
        stamps = try Self.stamps(ring, state, uuid)
        self.records = records
        unmount = last.writes
        stateAfter = LogState(
            head: last.head, cycle: last.nextCycle, last: last.record, tail: last.head, isClean: true)
    }

    private static var full: StorageError {
        .xfs(.refused, .logFull, "the log has no room for the change", structure: "log")
    }

    private static func header(
        _ transaction: UInt32, _ length: Int, client: UInt8, flags: LogOperation.Flags = []
    ) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: LogOperation.headerByteCount)
        bytes.storeBig(transaction, at: 0)
        bytes.storeBig(UInt32(length), at: 4)
        bytes[8] = client
        bytes[9] = flags.rawValue
        return bytes
    }

    /// The transaction: its start, its head, each buffer as a format and what changes of it, its commit.
    private static func operations(_ buffers: [Buffer], _ transaction: UInt32) -> [[UInt8]] {
        var result = [header(transaction, 0, client: transactionClient, flags: .start)]
        let changed = buffers.filter { !$0.runs.isEmpty }
        var head = [UInt8](repeating: 0, count: LogTransaction.headerByteCount)
        head.storeLittle(LogTransaction.headerMagic, at: 0)
        head.storeLittle(checkpointType, at: 4)
        head.storeLittle(transaction, at: 8)
        head.storeLittle(UInt32(changed.count), at: 12)
        result.append(header(transaction, head.count, client: transactionClient) + head)
        for buffer in changed {
            let words = (buffer.bytes.count / LoggedBuffer.chunk).dividedRoundingUp(by: 32)
            var format = [UInt8](repeating: 0, count: 20 + words * 4)
            format.storeLittle(LogItemType.buffer, at: 0)
            format.storeLittle(UInt16(truncatingIfNeeded: 1 + buffer.runs.count), at: 2)
            format.storeLittle(buffer.type << 11, at: 4)
            format.storeLittle(UInt16(truncatingIfNeeded: buffer.bytes.count / 512), at: 6)
            format.storeLittle(buffer.position / 512, at: 8)
            format.storeLittle(UInt32(words), at: 16)
            for chunk in buffer.runs.joined() { format[20 + chunk / 8] |= 1 << UInt8(chunk % 8) }
            result.append(header(transaction, format.count, client: transactionClient) + format)
            for run in buffer.runs {
                let place = run.lowerBound * LoggedBuffer.chunk..<run.upperBound * LoggedBuffer.chunk
                result.append(
                    header(transaction, place.count, client: transactionClient) + buffer.bytes[place])
            }
        }
        result.append(header(transaction, 0, client: transactionClient, flags: .commit))
        return result
    }

    private static func unmountOperation(_ transaction: UInt32) -> [UInt8] {
        var magic = [UInt8](repeating: 0, count: 8)
        magic.storeLittle(unmountMagic, at: 0)
        return header(transaction, magic.count, client: logClient, flags: .unmount) + magic
    }

    /// Blocks behind the head are of the round before, or were never written. Others would be taken for a part of the log
    /// when a write is cut off (xlog_clear_stale_blocks).
    private static func stamps(
        _ ring: LogRing, _ state: LogState, _ uuid: [UInt8]
    ) throws(StorageError) -> [OrderedWrites.Write] {
        var writes: [OrderedWrites.Write] = []
        let isNew = try ring.cycle(ring.count - 1) == 0
        for distance in 0..<min(ring.openBlockCount, ring.count - 1) {
            let block = ring.wrapped(state.head + distance)
            let expected = block >= state.head ? state.cycle &- 1 : state.cycle
            let found = try ring.cycle(block)
            if found == expected || isNew && found == 0 && block >= state.head { continue }
            // Behind the ring's end the blocks are this round's own: a new one has not come so far.
            if block < state.head { break }
            var header = [UInt8](repeating: 0, count: LogRing.blockSize)
            header.storeBig(LogRing.headerMagic, at: 0)
            header.storeBig(expected, at: LogRecord.Offset.cycle)
            header.storeBig(UInt32(ring.isVersion2 ? 2 : 1), at: LogRecord.Offset.version)
            header.storeBig(LogSequence(cycle: expected, block: block).rawValue, at: LogRecord.Offset.lsn)
            header.storeBig(
                LogSequence(cycle: state.cycle, block: state.head).rawValue, at: LogRecord.Offset.tail)
            header.storeBig(UInt32(1), at: LogRecord.Offset.format)
            header.replaceSubrange(LogRecord.Offset.uuid..<LogRecord.Offset.uuid + 16, with: uuid)
            writes.append(OrderedWrites.Write(offset: ring.position(of: block), bytes: header))
        }
        return writes
    }
}
