/// Whether a file may be changed.
public enum FileAccess: Sendable { case read, write }

/// What identifies a file whatever it is called, as long as it is open.
public struct FileIdentity: Hashable, Sendable {
    /// st_dev.
    public let device: UInt64
    /// st_ino.
    public let inode: UInt64

    /// Makes an identity.
    public init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}

/// What a file is known by under all its names in one file system, and told by from a later file that got its inode
/// number. Unlike `FileIdentity` it stays the same over a restart of the host.
public struct FileIncarnation: Equatable, Sendable {
    /// st_ino.
    public var inode: UInt64
    /// When it was made, in nanoseconds since 1970; 0 where the file system does not say. Of a device a number that another
    /// one of its name has not.
    public var birth: UInt64

    /// Whether that is a block device: what stands for an inode is its number, with this bit set.
    public var isOfDevice: Bool { inode >> 63 == 1 }

    /// Whether the device has that number at whatever place it is attached: the lowest bit says so.
    public var isLasting: Bool { isOfDevice && birth & 1 == 1 }

    /// Whether that is surely another block device, whatever the two are called: both are known by what lasts.
    public func isOtherDevice(than other: FileIncarnation) -> Bool {
        isLasting && other.isLasting && birth != other.birth
    }

    /// Makes an incarnation.
    public init(inode: UInt64, birth: UInt64) {
        self.inode = inode
        self.birth = birth
    }
}
