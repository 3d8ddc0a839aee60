internal import Storage

/// A change written through the log: one record with all that changes, and behind it the record that says that the
/// volume was unmounted, so that the log is clean in the end and a boot loader, which replays no log, sees the change.
struct LogCommit {
    /// A structure as it will be.
    struct Buffer: Sendable {
        let position: UInt64
        let bytes: [UInt8]
        /// enum xfs_blft.
        let type: UInt16
    }

    /// Blocks behind the head that get what the kernel's mount would give them, where they hold something else.
    let stamps: [OrderedWrites.Write]
    let record: [OrderedWrites.Write]
    let unmount: [OrderedWrites.Write]
    /// The log afterwards.
    let stateAfter: LogState

    private static let transactionClient: UInt8 = 0x69
    private static let logClient: UInt8 = 0xaa
    private static let checkpointType: UInt32 = 40
    private static let unmountMagic: UInt16 = 0x556e

    /// - Throws: `refused`, code "log-full", for a change that one record has no room for.
    init(
        _ ring: LogRing, _ state: LogState, _ buffers: [Buffer], uuid: [UInt8], unit: Int, transaction: UInt32
    ) throws(StorageError) {
        let operations = Self.operations(buffers, transaction)
        let first = try LogRecordWriter(
            ring, at: state.head, cycle: state.cycle, previous: state.last?.block, payload: operations.bytes,
            operationCount: operations.count, uuid: uuid, unit: unit)
        let last = try LogRecordWriter(
            ring, at: first.head, cycle: first.nextCycle, previous: state.head,
            payload: Self.unmountOperation(transaction), operationCount: 1, uuid: uuid, unit: unit)
        // A record must not reach round to what it follows.
        guard first.blockCount + last.blockCount + ring.longestRecordBlockCount < ring.count else {
            throw .xfs(.refused, .logFull, "the log has no room for the change", structure: "log")
        }
        stamps = try Self.stamps(ring, state, uuid)
        record = first.writes
        unmount = last.writes
        stateAfter = LogState(
            head: last.head, cycle: last.nextCycle, last: last.record, tail: last.head, isClean: true)
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

    /// The transaction: its start, its head, each buffer as a format and all of its bytes, its commit.
    private static func operations(
        _ buffers: [Buffer], _ transaction: UInt32
    ) -> (bytes: [UInt8], count: Int) {
        var bytes = header(transaction, 0, client: transactionClient, flags: .start)
        var head = [UInt8](repeating: 0, count: LogTransaction.headerByteCount)
        head.storeLittle(LogTransaction.headerMagic, at: 0)
        head.storeLittle(checkpointType, at: 4)
        head.storeLittle(transaction, at: 8)
        head.storeLittle(UInt32(buffers.count), at: 12)
        bytes += header(transaction, head.count, client: transactionClient) + head
        for buffer in buffers {
            let chunks = buffer.bytes.count / LoggedBuffer.chunk
            let words = chunks.dividedRoundingUp(by: 32)
            var format = [UInt8](repeating: 0, count: 20 + words * 4)
            format.storeLittle(LogItemType.buffer, at: 0)
            format.storeLittle(UInt16(2), at: 2)
            format.storeLittle(buffer.type << 11, at: 4)
            format.storeLittle(UInt16(truncatingIfNeeded: buffer.bytes.count / 512), at: 6)
            format.storeLittle(buffer.position / 512, at: 8)
            format.storeLittle(UInt32(words), at: 16)
            for chunk in 0..<chunks { format[20 + chunk / 8] |= 1 << UInt8(chunk % 8) }
            bytes += header(transaction, format.count, client: transactionClient) + format
            bytes += header(transaction, buffer.bytes.count, client: transactionClient) + buffer.bytes
        }
        bytes += header(transaction, 0, client: transactionClient, flags: .commit)
        return (bytes, 3 + buffers.count * 2)
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
