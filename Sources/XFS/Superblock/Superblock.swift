internal import Storage

/// The superblock: the first sector of every allocation group, kept as read and patched in place. Offsets are those of
/// the kernel's `struct xfs_dsb`; all numbers but the checksum are big-endian.
struct Superblock: Sendable {
    static let magic = Array("XFSB".utf8)
    static let labelByteCount = 12
    /// Sectors are no longer.
    static let maximumByteCount = 32768

    enum Offset {
        static let blockSize = 4
        static let blockCount = 8
        static let realTimeBlockCount = 16
        static let realTimeExtentCount = 24
        static let uuid = 32
        static let logStart = 48
        static let rootInode = 56
        static let realTimeBitmapInode = 64
        static let realTimeExtentSize = 80
        static let groupBlockCount = 84
        static let groupCount = 88
        static let realTimeBitmapBlockCount = 92
        static let logBlockCount = 96
        static let version = 100
        static let sectorSize = 102
        static let inodeSize = 104
        static let inodesPerBlock = 106
        static let label = 108
        static let blockLog = 120
        static let sectorLog = 121
        static let inodeLog = 122
        static let inodesPerBlockLog = 123
        static let groupBlockLog = 124
        static let realTimeExtentLog = 125
        static let inProgress = 126
        static let maximumInodePercent = 127
        static let inodeCount = 128
        static let freeInodeCount = 136
        static let freeBlockCount = 144
        static let freeRealTimeExtentCount = 152
        static let userQuotaInode = 160
        static let groupQuotaInode = 168
        static let quotaFlags = 176
        static let flags = 178
        static let sharedVersion = 179
        static let inodeAlignment = 180
        static let stripeUnit = 184
        static let stripeWidth = 188
        static let directoryBlockLog = 192
        static let logSectorLog = 193
        static let logSectorSize = 194
        static let logUnit = 196
        static let features2 = 200
        static let readOnlyFeatures = 212
        static let incompatibleFeatures = 216
        static let logIncompatibleFeatures = 220
        static let checksum = 224
        static let sparseInodeAlignment = 228
        static let projectQuotaInode = 232
        static let lsn = 240
        static let metadataUUID = 248
    }

    /// A whole sector; at least 512 bytes.
    var bytes: [UInt8]

    /// Wraps a sector of at least 512 bytes.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Reads the first one, or nil where the magic number is missing or the device is too short.
    static func read(from device: any BlockDevice) throws(StorageError) -> Superblock? {
        guard device.byteCount >= 512 else { return nil }
        let head = try device.bytes(at: 0, count: 512)
        guard head.span8.matches(magic) else { return nil }
        let size = Int(head.big(Offset.sectorSize, as: UInt16.self))
        guard size > 512, size.nonzeroBitCount == 1, size <= maximumByteCount,
            UInt64(size) <= device.byteCount
        else { return Superblock(head) }
        return Superblock(try device.bytes(at: 0, count: size))
    }

    func byte(_ offset: Int) -> Int { Int(bytes[offset]) }
    func half(_ offset: Int) -> UInt16 { bytes.big(offset) }
    func word(_ offset: Int) -> UInt32 { bytes.big(offset) }
    func long(_ offset: Int) -> UInt64 { bytes.big(offset) }

    /// 4 or 5; what else there may be is refused.
    var version: Int { Int(half(Offset.version) & 0xf) }
    var versionBits: VersionBits { VersionBits(rawValue: half(Offset.version)) }
    var features2: Features2 {
        versionBits.contains(.moreBits) ? Features2(rawValue: word(Offset.features2)) : []
    }
    var readOnlyFeatures: ReadOnlyFeatures {
        ReadOnlyFeatures(rawValue: version == 5 ? word(Offset.readOnlyFeatures) : 0)
    }
    var incompatibleFeatures: IncompatibleFeatures {
        IncompatibleFeatures(rawValue: version == 5 ? word(Offset.incompatibleFeatures) : 0)
    }

    /// Counters are kept in the groups' headers, and here only when the log is clean.
    var hasLazyCounters: Bool { version == 5 || features2.contains(.lazyCounters) }

    var uuid: [UInt8] { Array(bytes[Offset.uuid..<Offset.uuid + 16]) }
    /// What blocks bear: the UUID that the volume was made with.
    var blockUUID: [UInt8] {
        incompatibleFeatures.contains(.metadataUUID)
            ? Array(bytes[Offset.metadataUUID..<Offset.metadataUUID + 16]) : uuid
    }
    var label: [UInt8] {
        get { Array(bytes[Offset.label..<Offset.label + Self.labelByteCount].prefix { $0 != 0 }) }
        set {
            let kept = newValue.prefix(Self.labelByteCount)
            let padding = [UInt8](repeating: 0, count: Self.labelByteCount - kept.count)
            bytes.replaceSubrange(Offset.label..<Offset.label + Self.labelByteCount, with: kept + padding)
        }
    }

    /// Whether sb_crc holds, or there is none.
    var hasValidChecksum: Bool { version != 5 || Checksum.holds(in: bytes, at: Offset.checksum) }
}
