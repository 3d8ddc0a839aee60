/// A file within its file system: a key that the file system made and that it alone understands. ext's is the inode
/// number; where files have no number (FAT) it is a place, and a file that moves gets another.
///
/// It holds for one file system as long as nothing but a transaction of that file system changes it. Two names of one
/// file have the same key.
public struct FileID: Hashable, Sendable, CustomStringConvertible {
    /// What the file system put in.
    package var rawValue: UInt64
    /// A key, for the file system that understands it.
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    /// The key in decimal, to tell files apart in messages.
    public var description: String { String(rawValue) }
}

/// What a file is.
public enum FileType: String, Sendable, Hashable {
    /// A regular file.
    case regular
    /// A directory.
    case directory
    /// A symbolic link.
    case symbolicLink
    /// A character device.
    case characterDevice
    /// A block device.
    case blockDevice
    /// A named pipe.
    case fifo
    /// A socket.
    case socket

    /// From st_mode's type bits; nil for a value that POSIX does not know.
    public init?(mode: UInt16) {
        switch mode & 0xf000 {
        case 0x8000: self = .regular
        case 0x4000: self = .directory
        case 0xa000: self = .symbolicLink
        case 0x2000: self = .characterDevice
        case 0x6000: self = .blockDevice
        case 0x1000: self = .fifo
        case 0xc000: self = .socket
        default: return nil
        }
    }

    /// For sentences.
    public var words: String {
        switch self {
        case .regular: "regular file"
        case .directory: "directory"
        case .symbolicLink: "symbolic link"
        case .characterDevice: "character device"
        case .blockDevice: "block device"
        case .fifo: "FIFO"
        case .socket: "socket"
        }
    }

    /// st_mode's type bits.
    public var modeBits: UInt16 {
        switch self {
        case .regular: 0x8000
        case .directory: 0x4000
        case .symbolicLink: 0xa000
        case .characterDevice: 0x2000
        case .blockDevice: 0x6000
        case .fifo: 0x1000
        case .socket: 0xc000
        }
    }
}

/// A point in time: seconds since 1970 (may be negative) and nanoseconds.
public struct Timestamp: Hashable, Sendable {
    /// Seconds since 1970-01-01 00:00 UTC.
    public var seconds: Int64
    /// 0 to 999,999,999.
    public var nanoseconds: UInt32
    /// Makes a time.
    public init(seconds: Int64, nanoseconds: UInt32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }
}

/// Attributes that a file system may keep for its files, or not.
public struct AttributeSet: OptionSet, Hashable, Sendable {
    /// The bits.
    public let rawValue: UInt8
    /// From bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// The low twelve mode bits.
    public static let permissions = AttributeSet(rawValue: 1)
    /// User and group.
    public static let owner = AttributeSet(rawValue: 2)
    /// Time of the last reading.
    public static let accessTime = AttributeSet(rawValue: 4)
    /// Time of the last change of contents.
    public static let modificationTime = AttributeSet(rawValue: 8)
    /// Time of the last change of attributes, which nobody sets.
    public static let changeTime = AttributeSet(rawValue: 16)
    /// Time at which the file was made.
    public static let creationTime = AttributeSet(rawValue: 32)
    /// What every POSIX file system keeps.
    public static let posix: AttributeSet = [
        .permissions, .owner, .accessTime, .modificationTime, .changeTime,
    ]
}

/// What stat(2) tells.
public struct FileAttributes: Equatable, Sendable {
    /// What it is.
    public var type: FileType
    /// The low twelve mode bits: rwx and set-id, sticky.
    public var permissions: UInt16
    /// User.
    public var owner: UInt32
    /// Group.
    public var group: UInt32
    /// Hard links.
    public var linkCount: UInt32
    /// Length in bytes.
    public var size: UInt64
    /// Bytes it occupies in its file system.
    public var allocatedByteCount: UInt64
    /// Last read.
    public var accessTime: Timestamp
    /// Last change of contents.
    public var modificationTime: Timestamp
    /// Last change of attributes.
    public var changeTime: Timestamp
    /// Made, where the file system keeps it.
    public var creationTime: Timestamp?
    /// For device nodes.
    public var deviceNumber: DeviceNumber?
    /// Which of them the file system keeps; the others are what a mount makes up.
    public var kept: AttributeSet

    /// Major and minor number of a device node.
    public struct DeviceNumber: Equatable, Sendable {
        /// The driver.
        public var major: UInt32
        /// The unit.
        public var minor: UInt32
        /// Makes a number.
        public init(major: UInt32, minor: UInt32) {
            self.major = major
            self.minor = minor
        }
    }

    /// Makes attributes.
    public init(
        type: FileType, permissions: UInt16, owner: UInt32, group: UInt32, linkCount: UInt32, size: UInt64,
        allocatedByteCount: UInt64, accessTime: Timestamp, modificationTime: Timestamp, changeTime: Timestamp,
        creationTime: Timestamp? = nil, deviceNumber: DeviceNumber? = nil, kept: AttributeSet = .posix
    ) {
        self.type = type
        self.permissions = permissions
        self.owner = owner
        self.group = group
        self.linkCount = linkCount
        self.size = size
        self.allocatedByteCount = allocatedByteCount
        self.accessTime = accessTime
        self.modificationTime = modificationTime
        self.changeTime = changeTime
        self.creationTime = creationTime
        self.deviceNumber = deviceNumber
        self.kept = kept
    }

    /// st_mode: type bits and permissions.
    public var mode: UInt16 { type.modeBits | permissions & 0xfff }
}

/// A name in a directory. Names are bytes.
public struct DirectoryEntry: Equatable, Sendable {
    /// The name, without "." and "..", which are not listed.
    public var name: [UInt8]
    /// The file.
    public var file: FileID
    /// What it is, where the directory itself tells.
    public var type: FileType?
    /// Makes an entry.
    public init(name: [UInt8], file: FileID, type: FileType?) {
        self.name = name
        self.file = file
        self.type = type
    }

    /// Whether a directory may hold the name: 1 to 255 bytes, no slash, no NUL, neither "." nor "..". A path with
    /// any other in it leads elsewhere, so that an image that has one is damaged or made to do harm.
    public static func isSound(name: [UInt8]) -> Bool {
        let dot = UInt8(ascii: ".")
        return (1...255).contains(name.count) && name != [dot] && name != [dot, dot]
            && !name.contains { $0 == 0 || $0 == UInt8(ascii: "/") }
    }
}

/// An extended attribute: its full name ("security.selinux") and value.
public struct ExtendedAttribute: Equatable, Sendable {
    /// The full name with its namespace prefix.
    public var name: [UInt8]
    /// The value, as getxattr(2) would return it.
    public var value: [UInt8]
    /// Makes an attribute.
    public init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }
}
