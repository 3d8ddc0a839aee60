internal import Storage

extension Superblock {
    /// Kind, UUID, label and sizes, without a look at anything else; nil where a block's or a sector's size is none.
    var identity: VolumeIdentity? {
        let blockSize = word(Offset.blockSize)
        let sectorSize = half(Offset.sectorSize)
        guard blockSize.nonzeroBitCount == 1, (512...65536).contains(blockSize),
            sectorSize.nonzeroBitCount == 1, sectorSize >= 512
        else { return nil }
        return VolumeIdentity(
            kind: .xfs, uuid: UUID16(bytes: uuid).flatMap { $0.isZero ? nil : $0.description },
            label: shownLabel, version: "\(version)",
            byteCount: long(Offset.blockCount) *? UInt64(blockSize),
            freeByteCount: long(Offset.freeBlockCount) *? UInt64(blockSize), blockSize: blockSize)
    }

    /// What the device is by its superblock. blkid takes a superblock whose sizes contradict each other, or whose
    /// checksum is wrong, for none: it is a weak one here, which still is xfs_repair's to look at.
    var signature: VolumeSignature? {
        guard let identity else { return nil }
        guard hasKnownSizes, hasValidChecksum else { return VolumeSignature(identity, .weak) }
        return VolumeSignature(identity, version == 5 ? .verified : .firm)
    }

    /// libblkid's test (util-linux 2.40, superblocks/xfs.c, xfs_verify_sb).
    private var hasKnownSizes: Bool {
        func isPower(_ value: Int, _ log: Int, _ range: ClosedRange<Int>) -> Bool {
            range.contains(value) && log < 32 && value == 1 << log
        }
        return word(Offset.groupCount) != 0
            && isPower(Int(half(Offset.sectorSize)), byte(Offset.sectorLog), 512...32768)
            && isPower(Int(word(Offset.blockSize)), byte(Offset.blockLog), 512...65536)
            && isPower(Int(half(Offset.inodeSize)), byte(Offset.inodeLog), 256...2048)
            && byte(Offset.blockLog) - byte(Offset.inodeLog) == byte(Offset.inodesPerBlockLog)
            && byte(Offset.maximumInodePercent) <= 100 && long(Offset.blockCount) > 0
    }

    /// The label as blkid has it: without blanks behind; nil when nothing is left.
    private var shownLabel: [UInt8]? {
        var text = label[...]
        while text.last == UInt8(ascii: " ") { text.removeLast() }
        return text.isEmpty ? nil : Array(text)
    }
}

/// A log on a device of its own: a ring of records, of which the oldest may stand anywhere.
enum ExternalLog {
    private static let scanByteCount = 64 << 10

    /// What a device is whose first 64 KiB hold a record's header (struct xlog_rec_header).
    static func signature(on device: any BlockDevice) throws(StorageError) -> VolumeSignature? {
        guard device.byteCount >= 512 else { return nil }
        let first = try device.bytes(at: 0, count: 512)
        // Most volumes can be told from their first sector: a log that was never wrapped begins with a record.
        guard first.contains(where: { $0 != 0 }) else { return nil }
        let head = try device.bytes(at: 0, count: Int(min(device.byteCount, UInt64(scanByteCount))))
        for offset in stride(from: 0, to: head.count - 511, by: 512) where isRecord(head, offset) {
            let uuid = UUID16(textOrder: head.span8, at: offset + 304)
            let identity = VolumeIdentity(
                kind: .init(rawValue: "xfs_external_log"), uuid: uuid.isZero ? nil : uuid.description)
            return VolumeSignature(identity, offset == 0 ? .firm : .weak, holdsFiles: false)
        }
        return nil
    }

    /// Magic number, version 1 or 2, a length, a format of 1 to 3.
    private static func isRecord(_ bytes: [UInt8], _ offset: Int) -> Bool {
        guard bytes.big(offset, as: UInt32.self) == 0xfeed_babe else { return false }
        let version: UInt32 = bytes.big(offset + 8)
        let format: UInt32 = bytes.big(offset + 300)
        return (version == 1 || version == 2) && (1...3).contains(format)
            && bytes.big(offset + 12, as: UInt32.self) < 1 << 28
    }
}
