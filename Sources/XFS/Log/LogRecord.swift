internal import Storage

/// A log sequence number: the round, and the block of the ring.
struct LogSequence: Hashable, Comparable, Sendable {
    var rawValue: UInt64
    init(_ rawValue: UInt64) { self.rawValue = rawValue }
    init(cycle: UInt32, block: Int) {
        rawValue = UInt64(cycle) << 32 | UInt64(UInt32(truncatingIfNeeded: block))
    }
    var block: Int { Int(rawValue & 0xffff_ffff) }
    static func < (left: LogSequence, right: LogSequence) -> Bool { left.rawValue < right.rawValue }
}

/// A record of the log: a header of a block or more, and operations behind it (struct xlog_rec_header).
struct LogRecord: Sendable {
    enum Offset {
        static let cycle = 4
        static let version = 8
        static let length = 12
        static let lsn = 16
        static let tail = 24
        static let checksum = 32
        static let previous = 36
        static let operationCount = 40
        static let cycleData = 44
        static let format = 300
        static let uuid = 304
        static let size = 320
        /// Of the header, on a processor that aligns to eight bytes, and on one that aligns to four.
        static let ends = [328, 324]
    }

    /// What a header block covers of the payload.
    static let blocksPerHeader = 64
    /// XLOG_MAX_RECORD_BSIZE.
    static let maximumByteCount = 256 << 10

    let block: Int
    /// The first block of the header.
    let header: [UInt8]
    let headerBlockCount: Int

    var lsn: LogSequence { LogSequence(header.big(Offset.lsn)) }
    var tail: LogSequence { LogSequence(header.big(Offset.tail)) }
    /// Of the payload, in bytes; whole blocks.
    var byteCount: Int { Int(header.big(Offset.length, as: UInt32.self)) }
    var payloadBlockCount: Int { byteCount.dividedRoundingUp(by: LogRing.blockSize) }
    var blockCount: Int { headerBlockCount + payloadBlockCount }
    var operationCount: Int { Int(header.big(Offset.operationCount, as: UInt32.self)) }
    var storedChecksum: UInt32 { header.little(Offset.checksum) }

    /// Nil where the block is no header that can be one.
    init?(_ header: [UInt8], at block: Int, isVersion2: Bool) {
        guard header.big(0, as: UInt32.self) == LogRing.headerMagic else { return nil }
        self.block = block
        self.header = header
        let version: UInt32 = header.big(Offset.version)
        guard version == 1 || version == 2,
            header.big(Offset.length, as: UInt32.self) <= Self.maximumByteCount
        else { return nil }
        let size = Int(header.big(Offset.size, as: UInt32.self))
        let covered = Self.blocksPerHeader * LogRing.blockSize
        if isVersion2, version == 2, size > covered {
            guard size <= Self.maximumByteCount else { return nil }
            headerBlockCount = size.dividedRoundingUp(by: covered)
        } else {
            headerBlockCount = 1
        }
    }
}

extension LogRing {
    /// The record whose header is block `block`; nil where there is none.
    func record(at block: Int) throws(StorageError) -> LogRecord? {
        guard let record = LogRecord(try bytes(block, 1), at: block, isVersion2: isVersion2),
            record.blockCount <= count
        else { return nil }
        return record
    }

    /// A record's payload as it was before it was packed, and whether its checksum holds. Userspace's records have
    /// none, which counts as one that does.
    func payload(of record: LogRecord) throws(StorageError) -> (bytes: [UInt8], holds: Bool) {
        let all = try bytes(record.block, record.blockCount)
        let start = record.headerBlockCount * Self.blockSize
        var payload = Array(all[start...].prefix(record.byteCount))
        let stored = record.storedChecksum
        let holds =
            stored == 0
            || LogRecord.Offset.ends.contains { end in
                Self.checksum(all, headerEnd: end, payload: payload, isVersion2: isVersion2) == stored
            }
        payload += [UInt8](repeating: 0, count: record.payloadBlockCount * Self.blockSize - payload.count)
        for index in 0..<record.payloadBlockCount {
            // The first word of a block lies in the header, where the round took its place.
            let part = index / LogRecord.blocksPerHeader
            let word = index % LogRecord.blocksPerHeader * 4
            let place =
                part == 0 ? LogRecord.Offset.cycleData + word : part * Self.blockSize + 4 + word
            guard part < record.headerBlockCount else { break }
            payload.replaceSubrange(
                index * Self.blockSize..<index * Self.blockSize + 4, with: all[place..<place + 4])
        }
        return (payload, holds)
    }

    /// Over the header with the field zero, what is used of further headers, and the packed payload.
    static func checksum(
        _ record: [UInt8], headerEnd: Int, payload: [UInt8], isVersion2: Bool
    ) -> UInt32 {
        let field = LogRecord.Offset.checksum
        var sum = CRC32C.update(~0, record.span8.extracting(0..<field))
        sum = CRC32C.update(sum, [0, 0, 0, 0].span8)
        sum = CRC32C.update(sum, record.span8.extracting(field + 4..<headerEnd))
        if isVersion2 {
            let used = payload.count.dividedRoundingUp(by: LogRecord.blocksPerHeader * blockSize)
            for part in 1..<max(used, 1) where (part + 1) * blockSize <= record.count {
                sum = CRC32C.update(
                    sum, record.span8.extracting(part * blockSize..<part * blockSize + 260))
            }
        }
        return ~CRC32C.update(sum, payload.span8)
    }
}
