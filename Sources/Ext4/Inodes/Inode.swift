internal import Storage

/// An inode record, kept as read and patched in place. Offsets: the kernel's `struct ext4_inode`.
struct Inode: Sendable {
    enum Offset {
        static let mode = 0x00
        static let ownerLow = 0x02
        static let sizeLow = 0x04
        static let accessTime = 0x08
        static let changeTime = 0x0c
        static let modificationTime = 0x10
        static let deletionTime = 0x14
        static let groupLow = 0x18
        static let links = 0x1a
        static let sectorsLow = 0x1c
        static let flags = 0x20
        static let versionLow = 0x24
        static let map = 0x28
        static let generation = 0x64
        static let attributeBlockLow = 0x68
        static let sizeHigh = 0x6c
        static let sectorsHigh = 0x74
        static let attributeBlockHigh = 0x76
        static let ownerHigh = 0x78
        static let groupHigh = 0x7a
        static let checksumLow = 0x7c
        static let extraSize = 0x80
        static let checksumHigh = 0x82
        static let changeTimeExtra = 0x84
        static let modificationTimeExtra = 0x88
        static let accessTimeExtra = 0x8c
        static let creationTime = 0x90
        static let creationTimeExtra = 0x94
        static let versionHigh = 0x98
        static let project = 0x9c
    }

    struct Flags: OptionSet, Sendable {
        let rawValue: UInt32
        static let compressed = Flags(rawValue: 0x4)
        static let immutable = Flags(rawValue: 0x10)
        static let appendOnly = Flags(rawValue: 0x20)
        static let encrypted = Flags(rawValue: 0x800)
        static let indexed = Flags(rawValue: 0x1000)
        static let hugeFile = Flags(rawValue: 0x40000)
        static let extents = Flags(rawValue: 0x80000)
        static let verity = Flags(rawValue: 0x100000)
        static let attributeInode = Flags(rawValue: 0x200000)
        /// Blocks behind the end of the file; kernels before 3.x kept it.
        static let endOfFileBlocks = Flags(rawValue: 0x400000)
        static let snapshot = Flags(rawValue: 0x0100_0000)
        static let inlineData = Flags(rawValue: 0x1000_0000)
        static let projectInherit = Flags(rawValue: 0x2000_0000)
        static let caseFolded = Flags(rawValue: 0x4000_0000)
    }

    /// i_block: 60 bytes of map, inline data or symbolic link.
    static let mapRange = Offset.map..<Offset.map + 60

    let number: InodeNumber
    /// The block of the inode table that holds it.
    let block: BlockNumber
    /// Its byte offset in that block.
    let offset: Int
    /// s_inode_size bytes.
    var bytes: [UInt8]

    func word(_ offset: Int) -> UInt32 { bytes.little(offset) }
    func half(_ offset: Int) -> UInt16 { bytes.little(offset) }

    var mode: UInt16 {
        get { half(Offset.mode) }
        set { bytes.storeLittle(newValue, at: Offset.mode) }
    }
    var type: FileType? { FileType(mode: mode) }
    var flags: Flags {
        get { Flags(rawValue: word(Offset.flags)) }
        set { bytes.storeLittle(newValue.rawValue, at: Offset.flags) }
    }
    var linkCount: UInt16 {
        get { half(Offset.links) }
        set { bytes.storeLittle(newValue, at: Offset.links) }
    }
    var generation: UInt32 {
        get { word(Offset.generation) }
        set { bytes.storeLittle(newValue, at: Offset.generation) }
    }
    var owner: UInt32 {
        get { UInt32(half(Offset.ownerLow)) | UInt32(half(Offset.ownerHigh)) << 16 }
        set {
            bytes.storeLittle(UInt16(truncatingIfNeeded: newValue), at: Offset.ownerLow)
            bytes.storeLittle(UInt16(truncatingIfNeeded: newValue >> 16), at: Offset.ownerHigh)
        }
    }
    var group: UInt32 {
        get { UInt32(half(Offset.groupLow)) | UInt32(half(Offset.groupHigh)) << 16 }
        set {
            bytes.storeLittle(UInt16(truncatingIfNeeded: newValue), at: Offset.groupLow)
            bytes.storeLittle(UInt16(truncatingIfNeeded: newValue >> 16), at: Offset.groupHigh)
        }
    }

    /// i_size. The high half counts for regular files, and with large_dir for directories.
    func size(_ geometry: Geometry) -> UInt64 {
        let low = UInt64(word(Offset.sizeLow))
        let hasHigh =
            type == .regular
            || type == .directory && geometry.incompatible.contains(.largeDirectories)
        return hasHigh ? low | UInt64(word(Offset.sizeHigh)) << 32 : low
    }

    /// Sets i_size; the high half only where it counts.
    mutating func setSize(_ size: UInt64, _ geometry: Geometry) {
        bytes.storeLittle(UInt32(truncatingIfNeeded: size), at: Offset.sizeLow)
        let hasHigh =
            type == .regular
            || type == .directory && geometry.incompatible.contains(.largeDirectories)
        if hasHigh { bytes.storeLittle(UInt32(truncatingIfNeeded: size >> 32), at: Offset.sizeHigh) }
    }

    /// Bytes that i_blocks stands for: 512-byte sectors, or blocks with huge_file and its flag.
    func allocatedByteCount(_ geometry: Geometry) -> UInt64 {
        var count = UInt64(word(Offset.sectorsLow))
        guard geometry.readOnly.contains(.hugeFiles) else { return count * 512 }
        count |= UInt64(half(Offset.sectorsHigh)) << 32
        return count * (flags.contains(.hugeFile) ? UInt64(geometry.blockSize) : 512)
    }

    /// i_file_acl: the block with further extended attributes, or nil.
    func attributeBlock(_ geometry: Geometry) -> BlockNumber? {
        var number = UInt64(word(Offset.attributeBlockLow))
        if geometry.incompatible.contains(.wide) {
            number |= UInt64(half(Offset.attributeBlockHigh)) << 32
        }
        return number == 0 ? nil : BlockNumber(number)
    }

    /// i_projid; 0 where the record has no room for it.
    var projectID: UInt32 { hasField(Offset.project) ? word(Offset.project) : 0 }

    /// i_extra_isize: bytes of fields behind the first 128; 0 in 128-byte inodes.
    var extraSize: Int { bytes.count > 128 ? Int(half(Offset.extraSize)) : 0 }

    /// Whether the record has the field of `count` bytes at `offset`.
    func hasField(_ offset: Int, count: Int = 4) -> Bool { offset + count <= 128 + extraSize }

    /// The device number of a device node: 16 bits in i_block[0], or Linux's wide form in i_block[1].
    var deviceNumber: FileAttributes.DeviceNumber {
        let old = word(Offset.map)
        if old != 0 { return .init(major: old >> 8 & 0xff, minor: old & 0xff) }
        let new = word(Offset.map + 4)
        return .init(major: new >> 8 & 0xfff, minor: new & 0xff | new >> 12 & 0xfff00)
    }

    /// Names the inode in messages.
    var name: String { "inode \(number.rawValue)" }
}
