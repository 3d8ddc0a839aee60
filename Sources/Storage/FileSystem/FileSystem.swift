/// The number of a file within its file system: the inode number.
public struct FileID: Hashable, Sendable, CustomStringConvertible {
    /// The number.
    public var rawValue: UInt64
    /// Wraps a number.
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    /// The number in decimal.
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
        creationTime: Timestamp? = nil, deviceNumber: DeviceNumber? = nil
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

/// A file system that can be read. Safe from many threads. Nothing is written by opening or reading.
public protocol FileSystem: AnyObject, Sendable {
    /// Kind, UUID, label, sizes.
    var identity: VolumeIdentity { get }
    /// The root directory.
    var rootDirectory: FileID { get }
    /// What the reader of a report should know: a journal replayed in memory, a checksum ignored…
    var warnings: [String] { get }

    /// The file called `name` in `directory`, or nil. "." and ".." work.
    func lookUp(_ name: [UInt8], in directory: FileID) throws(StorageError) -> FileID?
    /// Calls `body` for each entry ("." and ".." left out) until it returns false.
    func forEachEntry(
        of directory: FileID, _ body: (DirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError)
    /// stat.
    func attributes(of file: FileID) throws(StorageError) -> FileAttributes
    /// Reads up to `target.byteCount` bytes of a regular file; returns how many, 0 at the end.
    func read(_ file: FileID, into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError)
        -> Int
    /// The next run of a regular file's contents at `offset` (below its size): `plain` and `zero` only, where
    /// plain offsets count in the file system's own device (file index 0).
    func nextExtent(of file: FileID, at offset: UInt64) throws(StorageError) -> Extent
    /// Where a symbolic link points.
    func symbolicLinkTarget(of file: FileID) throws(StorageError) -> [UInt8]
    /// All extended attributes.
    func extendedAttributes(of file: FileID) throws(StorageError) -> [ExtendedAttribute]
}

extension FileSystem {
    /// All entries at once; for directories of reasonable size.
    public func entries(of directory: FileID) throws(StorageError) -> [DirectoryEntry] {
        var result: [DirectoryEntry] = []
        try forEachEntry(of: directory) { (entry) throws(StorageError) in
            result.append(entry)
            return true
        }
        return result
    }

    /// The whole of a regular file, refused when longer than `limit` bytes.
    public func contents(of file: FileID, limit: Int = 64 << 20) throws(StorageError) -> [UInt8] {
        let size = try attributes(of: file).size
        guard let count = Int(exactly: size), count <= limit else {
            throw StorageError(
                .refused, layer: identity.kind.rawValue, code: "file-too-long",
                "file \(file) has \(size) bytes, more than the \(limit) that are read at once")
        }
        var result = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = try result.withMutableBytes { (span) throws(StorageError) -> Int in
                var part = span.part(done..<count)
                return try read(file, into: &part, at: UInt64(done))
            }
            guard got > 0 else { break }
            done += got
        }
        result.removeLast(count - done)
        return result
    }
}
