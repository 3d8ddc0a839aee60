internal import Storage

/// The superblock: 1024 bytes at byte 1024 of the volume, kept as read and patched in place. Offsets are those of
/// the kernel's `struct ext4_super_block`.
struct Superblock: Sendable {
    static let byteOffset: UInt64 = 1024
    static let byteCount = 1024
    static let magic: UInt16 = 0xef53
    static let labelByteCount = 16

    enum Offset {
        static let inodeCount = 0x00
        static let blockCountLow = 0x04
        static let freeBlocksLow = 0x0c
        static let freeInodes = 0x10
        static let firstDataBlock = 0x14
        static let logBlockSize = 0x18
        static let logClusterSize = 0x1c
        static let blocksPerGroup = 0x20
        static let clustersPerGroup = 0x24
        static let inodesPerGroup = 0x28
        static let writeTime = 0x30
        static let magic = 0x38
        static let state = 0x3a
        static let creator = 0x48
        static let revision = 0x4c
        static let firstInode = 0x54
        static let inodeSize = 0x58
        static let compatible = 0x5c
        static let incompatible = 0x60
        static let readOnly = 0x64
        static let uuid = 0x68
        static let label = 0x78
        static let reservedDescriptorBlocks = 0xce
        static let journalInode = 0xe0
        static let lastOrphan = 0xe8
        static let hashSeed = 0xec
        static let hashVersion = 0xfc
        static let descriptorSize = 0xfe
        static let firstMetaBlockGroup = 0x104
        static let blockCountHigh = 0x150
        static let freeBlocksHigh = 0x158
        static let wantExtraSize = 0x15e
        static let flags = 0x160
        static let mmpBlock = 0x168
        static let backupGroups = 0x24c
        static let checksumSeed = 0x270
        static let writeTimeHigh = 0x274
        static let orphanFile = 0x280
        static let checksum = 0x3fc
    }

    /// s_state bits.
    enum State {
        static let valid: UInt16 = 1
        static let errors: UInt16 = 2
        /// The kernel was cleaning up orphans.
        static let orphans: UInt16 = 4
    }

    /// The 1024 bytes.
    var bytes: [UInt8]

    /// Wraps 1024 bytes.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Reads it, or nil where the magic number is missing or the device is too short for one.
    static func read(from device: any BlockDevice) throws(StorageError) -> Superblock? {
        guard device.byteCount >= byteOffset + UInt64(byteCount) else { return nil }
        let superblock = Superblock(try device.bytes(at: byteOffset, count: byteCount))
        return superblock.bytes.little(Offset.magic) == magic ? superblock : nil
    }

    func word(_ offset: Int) -> UInt32 { bytes.little(offset) }
    func half(_ offset: Int) -> UInt16 { bytes.little(offset) }

    var revision: UInt32 { word(Offset.revision) }
    /// The feature words hold in every revision: mke2fs leaves them zero in revision 0, and where they are not, the
    /// kernel and blkid go by them.
    var compatible: CompatibleFeatures { CompatibleFeatures(rawValue: word(Offset.compatible)) }
    var incompatible: IncompatibleFeatures { IncompatibleFeatures(rawValue: word(Offset.incompatible)) }
    var readOnly: ReadOnlyFeatures { ReadOnlyFeatures(rawValue: word(Offset.readOnly)) }

    /// The high halves of block counts exist with 64bit only.
    private var isWide: Bool { incompatible.contains(.wide) }

    var blockCount: UInt64 {
        UInt64(word(Offset.blockCountLow)) | (isWide ? UInt64(word(Offset.blockCountHigh)) << 32 : 0)
    }
    var freeBlockCount: UInt64 {
        get { UInt64(word(Offset.freeBlocksLow)) | (isWide ? UInt64(word(Offset.freeBlocksHigh)) << 32 : 0) }
        set {
            bytes.storeLittle(UInt32(truncatingIfNeeded: newValue), at: Offset.freeBlocksLow)
            if isWide {
                bytes.storeLittle(UInt32(truncatingIfNeeded: newValue >> 32), at: Offset.freeBlocksHigh)
            }
        }
    }
    var freeInodeCount: UInt32 {
        get { word(Offset.freeInodes) }
        set { bytes.storeLittle(newValue, at: Offset.freeInodes) }
    }
    var state: UInt16 {
        get { half(Offset.state) }
        set { bytes.storeLittle(newValue, at: Offset.state) }
    }
    var uuid: [UInt8] { Array(bytes[Offset.uuid..<Offset.uuid + 16]) }

    /// s_volume_name up to its first NUL.
    var label: [UInt8] {
        get { Array(bytes[Offset.label..<Offset.label + Self.labelByteCount].prefix { $0 != 0 }) }
        set {
            let kept = newValue.prefix(Self.labelByteCount)
            let padding = [UInt8](repeating: 0, count: Self.labelByteCount - kept.count)
            bytes.replaceSubrange(Offset.label..<Offset.label + Self.labelByteCount, with: kept + padding)
        }
    }

    /// Made by GNU Hurd, whose inodes differ.
    var isHurd: Bool { word(Offset.creator) == 1 }

    /// Sets bits of s_feature_compat; revision 0 has none.
    mutating func insert(_ features: CompatibleFeatures) {
        guard revision > 0 else { return }
        bytes.storeLittle(compatible.union(features).rawValue, at: Offset.compatible)
    }

    /// Sets bits of s_feature_ro_compat.
    mutating func insert(_ features: ReadOnlyFeatures) {
        bytes.storeLittle(readOnly.union(features).rawValue, at: Offset.readOnly)
    }

    /// s_wtime: 32 bits, and eight more that old volumes leave zero.
    mutating func setWriteTime(_ time: Timestamp) {
        bytes.storeLittle(UInt32(truncatingIfNeeded: time.seconds), at: Offset.writeTime)
        bytes[Offset.writeTimeHigh] = UInt8(truncatingIfNeeded: time.seconds >> 32)
    }

    var journalInode: InodeNumber { InodeNumber(word(Offset.journalInode)) }

    /// CRC-32C over everything before s_checksum, started with all ones.
    var computedChecksum: UInt32 {
        CRC32C.update(~0, bytes.span8.extracting(0..<Offset.checksum))
    }

    /// Whether s_checksum holds, or there is none.
    var hasValidChecksum: Bool {
        !readOnly.contains(.metadataChecksums) || word(Offset.checksum) == computedChecksum
    }

    /// Sets s_checksum where the volume has one.
    mutating func updateChecksum() {
        guard readOnly.contains(.metadataChecksums) else { return }
        bytes.storeLittle(computedChecksum, at: Offset.checksum)
    }
}
