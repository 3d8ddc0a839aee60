internal import Storage

/// XFS and its external logs. Big-endian (xfs_dsb in xfs_format.h).
enum XFSProbe {
    private static let logScanLength = 64 << 10

    static func matches(_ reader: ProbeReader) throws(StorageError) -> [ProbeMatch] {
        guard let block = try reader.bytes(0, 512) else { return [] }
        if block.span8.matches(Array("XFSB".utf8)) {
            let blockSize: UInt32 = block.big(4)
            let sectorSize: UInt16 = block.big(102)
            guard blockSize.nonzeroBitCount == 1, (512...65536).contains(blockSize),
                sectorSize.nonzeroBitCount == 1, sectorSize >= 512
            else { return [] }
            return [
                ProbeMatch(
                    VolumeIdentity(
                        kind: .xfs, uuid: block.uuidText(32), label: block.label(108..<120),
                        version: String(block.big(100, as: UInt16.self) & 0xf),
                        byteCount: block.big(8, as: UInt64.self) *? UInt64(blockSize),
                        freeByteCount: block.big(144, as: UInt64.self) *? UInt64(blockSize),
                        blockSize: blockSize), .fileSystem)
            ]
        }
        return try externalLog(reader)
    }

    /// An external log is a ring of records: the oldest may stand anywhere, so the first 64 KiB are searched.
    private static func externalLog(_ reader: ProbeReader) throws(StorageError) -> [ProbeMatch] {
        // Most volumes can be told from their first sector: a log that was never wrapped begins with a record.
        guard let first = try reader.bytes(0, 512), isLogRecord(first, 0) || first.span8.isAllZero == false,
            let head = try reader.bytes(0, Int(min(reader.byteCount, UInt64(logScanLength))))
        else { return [] }
        for offset in stride(from: 0, to: head.count - 511, by: 512) where isLogRecord(head, offset) {
            let identity = VolumeIdentity(
                kind: .init(rawValue: "xfs_external_log"), uuid: head.uuidText(offset + 304))
            return [ProbeMatch(identity, .other, offset == 0 ? .firm : .weak)]
        }
        return []
    }

    /// xlog_rec_header: magic, cycle, version 1 or 2, length, …, format 1 to 3.
    private static func isLogRecord(_ bytes: [UInt8], _ offset: Int) -> Bool {
        guard offset + 512 <= bytes.count, bytes.big(offset, as: UInt32.self) == 0xfeed_babe else {
            return false
        }
        let version: UInt32 = bytes.big(offset + 8)
        let format: UInt32 = bytes.big(offset + 300)
        return (version == 1 || version == 2) && (1...3).contains(format)
            && bytes.big(offset + 12, as: UInt32.self) < 1 << 28
    }
}
