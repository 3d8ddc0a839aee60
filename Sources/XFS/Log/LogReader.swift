internal import Storage

/// Reads the records from the tail to the head and hands on the transactions that were committed.
struct LogReader {
    /// What all transactions that are open at once may have in memory.
    static let openByteLimit = 256 << 20

    let ring: LogRing
    let state: LogState
    let geometry: Geometry

    /// Calls `body` with every committed transaction, in the order of their commits.
    ///
    /// - Throws: `corrupt` where a record or an operation cannot be one; `unsupported` for a log of a machine with
    ///   another order of bytes; what `body` throws.
    func forEachTransaction(_ body: (LogTransaction) throws(StorageError) -> Void) throws(StorageError) {
        var open: [UInt32: LogTransaction] = [:]
        var byteCount = 0
        var block = state.tail
        var left = ring.count
        while block != state.head {
            guard let record = try ring.record(at: block), record.blockCount <= left else { throw bad(block) }
            left -= record.blockCount
            try requireOurs(record)
            let (payload, holds) = try ring.payload(of: record)
            if !holds, geometry.hasChecksums {
                throw .xfs(
                    .corrupt, .logChecksum, "the checksum of a log record is wrong; run xfs_repair",
                    structure: "log record", offset: ring.position(of: block))
            }
            var offset = 0
            for _ in 0..<record.operationCount {
                guard let operation = LogOperation(payload, at: offset) else { throw bad(block) }
                offset = operation.range.upperBound
                let before = open[operation.transaction]?.byteCount ?? 0
                let ended = try apply(operation, payload, record, &open, block)
                byteCount += (open[operation.transaction]?.byteCount ?? 0) - before
                guard byteCount <= Self.openByteLimit else {
                    throw .memoryBound(
                        "xfs", "the log has transactions of more than \(Self.openByteLimit) bytes",
                        structure: "log", offset: ring.position(of: block))
                }
                if let ended { try body(ended) }
            }
            block = ring.wrapped(block + record.blockCount)
        }
    }

    private func apply(
        _ operation: LogOperation, _ payload: [UInt8], _ record: LogRecord,
        _ open: inout [UInt32: LogTransaction], _ block: Int
    ) throws(StorageError) -> LogTransaction? {
        let id = operation.transaction
        let flags = operation.flags
        if flags.contains(.unmount) {
            open[id] = nil
            return nil
        }
        if flags.contains(.start) {
            guard operation.range.isEmpty, open[id] == nil else { throw bad(block) }
            open[id] = LogTransaction(record.lsn)
            return nil
        }
        if flags.contains(.commit) { return open.removeValue(forKey: id) }
        // What began before the tail has reached its place.
        guard open[id] != nil else { return nil }
        let bytes = Array(payload[operation.range])
        let isSound =
            flags.contains(.continued)
            ? open[id]?.extend(bytes) ?? false : open[id]?.add(bytes) ?? false
        guard isSound else { throw bad(block) }
        return nil
    }

    private func requireOurs(_ record: LogRecord) throws(StorageError) {
        let position = ring.position(of: record.block)
        guard record.header.big(LogRecord.Offset.format, as: UInt32.self) == 1 else {
            throw .xfs(
                .unsupported, .foreignLog,
                "the log was written by a machine with another order of bytes; start the guest once and shut it down",
                structure: "log record", field: "h_fmt", offset: position, remedies: [.startGuest])
        }
        guard record.header[LogRecord.Offset.uuid..<LogRecord.Offset.uuid + 16].elementsEqual(geometry.uuid)
        else {
            throw .xfs(
                .corrupt, .badLog, "the log is of another file system; run xfs_repair",
                structure: "log record",
                field: "h_fs_uuid", offset: position)
        }
    }

    func bad(_ block: Int) -> StorageError {
        .xfs(
            .corrupt, .badLog, "a record of the log is damaged; run xfs_repair", structure: "log record",
            offset: ring.position(of: block))
    }
}
