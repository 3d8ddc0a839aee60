internal import Storage

/// An inode, kept as read and patched in place. Offsets are those of the kernel's `struct xfs_dinode`.
struct Inode: Sendable {
    static let magic: UInt16 = 0x494e
    /// The data fork of a device node, FIFO or socket, where the attributes begin right behind it.
    static let deviceForkSize = 8

    enum Offset {
        static let mode = 2
        static let version = 4
        static let format = 5
        static let oldLinkCount = 6
        static let owner = 8
        static let group = 12
        static let linkCount = 16
        static let project = 20
        static let largeExtentCount = 24
        static let accessTime = 32
        static let modificationTime = 40
        static let changeTime = 48
        static let size = 56
        static let blockCount = 64
        static let extentSize = 72
        static let extentCount = 76
        static let attributeExtentCount = 80
        static let forkOffset = 82
        static let attributeFormat = 83
        static let flags = 90
        static let generation = 92
        static let nextUnlinked = 96
        static let checksum = 100
        static let changeCount = 104
        static let lsn = 112
        static let flags2 = 120
        static let sharedExtentSize = 128
        static let creationTime = 144
        static let number = 152
        static let uuid = 160
    }

    /// di_flags.
    struct Flags: OptionSet, Sendable {
        let rawValue: UInt16
        static let realTime = Flags(rawValue: 1)
        /// Of the bitmap of a real-time part alone.
        static let newBitmap = Flags(rawValue: 4)
        static let immutable = Flags(rawValue: 8)
        static let appendOnly = Flags(rawValue: 0x10)
        static let inheritProject = Flags(rawValue: 0x200)
        static let extentSize = Flags(rawValue: 0x800)
        static let inheritExtentSize = Flags(rawValue: 0x1000)
        /// XFS_DIFLAG_ANY.
        static let known = Flags(rawValue: 0x7fff)
        /// What new files of a directory get, and whether links may be made there.
        static let ofDirectories = Flags(rawValue: 0x100 | 0x200 | 0x400 | 0x1000)
        static let ofFiles = Flags(rawValue: 0x1 | 0x800)
    }

    /// di_flags2.
    struct Flags2: OptionSet, Sendable {
        let rawValue: UInt64
        static let directAccess = Flags2(rawValue: 1)
        static let sharesBlocks = Flags2(rawValue: 2)
        /// How much a copy on write puts aside is given.
        static let sharedExtentSize = Flags2(rawValue: 4)
        static let bigTimes = Flags2(rawValue: 8)
        static let largeExtentCounts = Flags2(rawValue: 0x10)
        /// Belongs to the tree of metadata files.
        static let metadata = Flags2(rawValue: 0x20)
        /// XFS_DIFLAG2_ANY.
        static let known = Flags2(rawValue: 0x3f)
    }

    /// How a fork is kept.
    enum Format: UInt8, Sendable {
        case device = 0
        case local = 1
        case extents = 2
        case tree = 3
    }

    /// Which of an inode's two forks.
    enum Fork: Sendable {
        case data, attributes
    }

    let number: InodeNumber
    /// Where it lies on the device.
    let position: UInt64
    var bytes: [UInt8]

    var name: String { "inode \(number.rawValue)" }

    var mode: UInt16 { bytes.big(Offset.mode) }
    var type: FileType? { FileType(mode: mode) }
    var version: UInt8 { bytes[Offset.version] }
    var flags: Flags { Flags(rawValue: bytes.big(Offset.flags)) }
    var flags2: Flags2 { Flags2(rawValue: version == 3 ? bytes.big(Offset.flags2) : 0) }
    var size: UInt64 { bytes.big(Offset.size) }
    var blockCount: UInt64 { bytes.big(Offset.blockCount) }
    var linkCount: UInt32 {
        get {
            version == 1
                ? UInt32(bytes.big(Offset.oldLinkCount, as: UInt16.self)) : bytes.big(Offset.linkCount)
        }
        set {
            if version == 1 {
                bytes.storeBig(UInt16(clamping: newValue), at: Offset.oldLinkCount)
            } else {
                bytes.storeBig(newValue, at: Offset.linkCount)
            }
        }
    }
    var generation: UInt32 { bytes.big(Offset.generation) }
    var coreSize: Int { version == 3 ? 176 : 100 }
    var forkOffset: Int { Int(bytes[Offset.forkOffset]) * 8 }

    func format(_ fork: Fork) -> Format? {
        Format(rawValue: bytes[fork == .data ? Offset.format : Offset.attributeFormat])
    }

    /// The fork's bytes within the inode. An inode without attributes has an empty fork of them.
    func range(_ fork: Fork) -> Range<Int> {
        let split = forkOffset == 0 ? bytes.count : coreSize + forkOffset
        return fork == .data ? coreSize..<split : split..<bytes.count
    }

    /// Extents of a fork.
    func extentCount(_ fork: Fork) -> UInt64 {
        if flags2.contains(.largeExtentCounts) {
            return fork == .data
                ? bytes.big(Offset.largeExtentCount) : UInt64(bytes.big(Offset.extentCount, as: UInt32.self))
        }
        return fork == .data
            ? UInt64(bytes.big(Offset.extentCount, as: UInt32.self))
            : UInt64(bytes.big(Offset.attributeExtentCount, as: UInt16.self))
    }

    /// The border between the forks lies where none can (xfs_dinode_verify_forkoff): the numbers of devices have one place
    /// for it.
    private var hasMisplacedFork: Bool {
        guard forkOffset != 0 else { return false }
        return format(.data) == .device
            ? forkOffset != Self.deviceForkSize : forkOffset / 8 >= (bytes.count - coreSize) / 8
    }

    /// Whether fields of sizes and formats agree (xfs_dinode_verify); nil, or the field that does not.
    var defect: String? {
        if type == nil { return "di_mode" }
        if size > UInt64(Int64.max) { return "di_size" }
        if hasMisplacedFork { return "di_forkoff" }
        let data = range(.data)
        switch (format(.data), type) {
        case (.device, .characterDevice?), (.device, .blockDevice?), (.device, .fifo?), (.device, .socket?):
            break
        case (.local, .directory?), (.local, .symbolicLink?):
            if size > UInt64(data.count) { return "di_size" }
        case (.extents, .directory?), (.extents, .symbolicLink?), (.extents, .regular?):
            if extentCount(.data) > UInt64(data.count / 16) { return "di_nextents" }
        case (.tree, .directory?), (.tree, .regular?): break
        default: return "di_format"
        }
        guard forkOffset != 0 else { return extentCount(.attributes) == 0 ? nil : "di_anextents" }
        switch format(.attributes) {
        case .local, .tree: break
        case .extents where extentCount(.attributes) <= UInt64(range(.attributes).count / 16): break
        default: return "di_aformat"
        }
        return nil
    }
}

extension Inode {
    /// A time at `offset`: nanoseconds since 1901 with "bigtime", two words of 32 bits without.
    func time(_ offset: Int) -> Timestamp {
        if flags2.contains(.bigTimes) {
            let (seconds, nanoseconds) = bytes.big(offset, as: UInt64.self).quotientAndRemainder(
                dividingBy: 1_000_000_000)
            return Timestamp(seconds: Int64(seconds) - 1 << 31, nanoseconds: UInt32(nanoseconds))
        }
        return Timestamp(
            seconds: Int64(bytes.big(offset, as: Int32.self)),
            nanoseconds: min(bytes.big(offset + 4, as: UInt32.self), 999_999_999))
    }

    /// For device nodes: 14 bits of major, 18 of minor number.
    var deviceNumber: FileAttributes.DeviceNumber? {
        guard format(.data) == .device, type == .characterDevice || type == .blockDevice else { return nil }
        let number: UInt32 = bytes.big(coreSize)
        return FileAttributes.DeviceNumber(major: number >> 18, minor: number & 0x3_ffff)
    }
}
