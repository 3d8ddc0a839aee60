internal import Storage

/// A record as it is written: packed, with its checksum, around the ring's end.
struct LogRecordWriter {
    let writes: [OrderedWrites.Write]
    let record: LogRecord
    let blockCount: Int
    /// The block behind it, and the round that goes on there.
    let head: Int
    let nextCycle: UInt32

    /// Bytes that the payload of a record at `head` may have: it ends at a multiple of `unit` of the ring. The kernel's search for
    /// the log's end looks so far back for a header, so the header's blocks count (XLOG_REC_SHIFT).
    static func capacity(_ ring: LogRing, at head: Int, unit: Int) -> Int {
        let limit = ring.longestRecordBlockCount
        let headerCount = limit / LogRecord.blocksPerHeader
        let unit = max(unit / LogRing.blockSize, 1)
        return max((head + limit) / unit * unit - head - headerCount, 0) * LogRing.blockSize
    }

    private static func full(_ byteCount: Int) -> StorageError {
        .xfs(
            .refused, .logFull, "the change has \(byteCount) bytes, more than one record of the log holds",
            structure: "log")
    }

    /// - Parameter unit: Where the next record may begin, in bytes: the kernel writes its own at multiples of the log's stripe
    ///   unit and of its sector, and would leave a gap behind a record that ends elsewhere.
    /// - Parameter isOneOfSeveral: The record has the longest header, as the others of its commit: the kernel takes the header's
    ///   length from the record at the tail for all that follow (xlog_do_recovery_pass).
    /// - Throws: `refused`, code "log-full", for a payload longer than a record.
    init(
        _ ring: LogRing, at head: Int, cycle: UInt32, tail: LogSequence, previous: Int?, payload: [UInt8],
        operationCount: Int, uuid: [UInt8], unit: Int, isOneOfSeveral: Bool = false
    ) throws(StorageError) {
        let blockSize = LogRing.blockSize
        let covered = LogRecord.blocksPerHeader * blockSize
        let unitCount = max(unit / blockSize, 1)
        let longest = ring.isVersion2 ? LogRecord.maximumByteCount : covered
        var size = isOneOfSeveral ? longest : covered
        var headerCount = 1
        var length = 0
        while true {
            headerCount = size / covered
            let end = (head + headerCount + payload.count.dividedRoundingUp(by: blockSize)).dividedRoundingUp(
                by: unitCount)
            length = (end * unitCount - head - headerCount) * blockSize
            if length <= size { break }
            size *= 2
            guard size <= longest else { throw Self.full(payload.count) }
        }
        guard headerCount + length / blockSize <= ring.longestRecordBlockCount else {
            throw Self.full(payload.count)
        }
        var bytes = [UInt8](repeating: 0, count: headerCount * blockSize)
        let lsn = LogSequence(cycle: cycle, block: head)
        bytes.storeBig(LogRing.headerMagic, at: 0)
        bytes.storeBig(cycle, at: LogRecord.Offset.cycle)
        bytes.storeBig(UInt32(ring.isVersion2 ? 2 : 1), at: LogRecord.Offset.version)
        bytes.storeBig(UInt32(length), at: LogRecord.Offset.length)
        bytes.storeBig(lsn.rawValue, at: LogRecord.Offset.lsn)
        bytes.storeBig(tail.rawValue, at: LogRecord.Offset.tail)
        bytes.storeBig(UInt32(truncatingIfNeeded: previous ?? -1), at: LogRecord.Offset.previous)
        bytes.storeBig(UInt32(operationCount), at: LogRecord.Offset.operationCount)
        bytes.storeBig(UInt32(1), at: LogRecord.Offset.format)
        bytes.replaceSubrange(LogRecord.Offset.uuid..<LogRecord.Offset.uuid + 16, with: uuid)
        bytes.storeBig(UInt32(size), at: LogRecord.Offset.size)
        for part in 1..<max(headerCount, 1) { bytes.storeBig(cycle, at: part * blockSize) }
        bytes += payload + [UInt8](repeating: 0, count: length - payload.count)
        // The first word of every block of the payload goes into the headers, and the round takes its place.
        for index in 0..<length / blockSize {
            let place = (headerCount + index) * blockSize
            let part = index / LogRecord.blocksPerHeader
            let word = index % LogRecord.blocksPerHeader * 4
            let kept = part == 0 ? LogRecord.Offset.cycleData + word : part * blockSize + 4 + word
            bytes.replaceSubrange(kept..<kept + 4, with: Array(bytes[place..<place + 4]))
            bytes.storeBig(cycle, at: place)
        }
        let count = bytes.count / blockSize
        var next = cycle &+ 1
        if next == LogRing.headerMagic { next &+= 1 }
        // Blocks past the ring's end are of the next round.
        for index in 0..<count where index > 0 && head + index >= ring.count {
            bytes.storeBig(next, at: index * blockSize)
        }
        bytes.storeLittle(
            LogRing.checksum(
                bytes, headerEnd: LogRecord.Offset.ends[0],
                payload: Array(bytes[(headerCount * blockSize)...]),
                isVersion2: ring.isVersion2), at: LogRecord.Offset.checksum)
        guard let record = LogRecord(Array(bytes[0..<blockSize]), at: head, isVersion2: ring.isVersion2)
        else {
            throw .xfs(.refused, .logFull, "the change fits no record of the log", structure: "log")
        }
        self.record = record
        blockCount = count
        let before = min(count, ring.count - head)
        var writes = [
            OrderedWrites.Write(offset: ring.position(of: head), slice: bytes[0..<before * blockSize])
        ]
        if before < count {
            writes.append(
                OrderedWrites.Write(offset: ring.position(of: 0), slice: bytes[(before * blockSize)...]))
        }
        self.writes = writes
        self.head = ring.wrapped(head + count)
        nextCycle = head + count >= ring.count ? next : cycle
    }
}
