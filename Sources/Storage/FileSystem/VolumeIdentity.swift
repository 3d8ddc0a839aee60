/// What a volume holds, by its signature. The names are blkid's.
public struct VolumeIdentity: Equatable, Sendable {
    /// A kind of content, as blkid names it.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        /// blkid's word.
        public var rawValue: String
        /// Wraps a word.
        public init(rawValue: String) { self.rawValue = rawValue }
        /// ext2.
        public static let ext2 = Kind(rawValue: "ext2")
        /// ext3.
        public static let ext3 = Kind(rawValue: "ext3")
        /// ext4.
        public static let ext4 = Kind(rawValue: "ext4")
        /// Linux swap.
        public static let swap = Kind(rawValue: "swap")
        /// XFS.
        public static let xfs = Kind(rawValue: "xfs")
        /// Btrfs.
        public static let btrfs = Kind(rawValue: "btrfs")
        /// FAT 12, 16 or 32.
        public static let vfat = Kind(rawValue: "vfat")
        /// NTFS.
        public static let ntfs = Kind(rawValue: "ntfs")
        /// An LVM2 physical volume.
        public static let lvm2 = Kind(rawValue: "LVM2_member")
        /// A member of an MD RAID array.
        public static let mdRAID = Kind(rawValue: "linux_raid_member")
        /// A LUKS container.
        public static let luks = Kind(rawValue: "crypto_LUKS")
        /// No signature known.
        public static let unknown = Kind(rawValue: "unknown")
    }

    /// What it is.
    public var kind: Kind
    /// The UUID as blkid prints it: lower case with dashes, of FAT a serial "1234-ABCD", of NTFS sixteen digits. Nil when it has
    /// none.
    public var uuid: String?
    /// The label without padding. Nil when it has none.
    public var label: [UInt8]?
    /// The version or variant, where it says more than the kind.
    public var version: String?
    /// The size in bytes that it claims for itself, where it does; of all its devices, where it lies on several.
    public var byteCount: UInt64?
    /// Free bytes, where the superblock tells.
    public var freeByteCount: UInt64?
    /// The block size in bytes, where it has one.
    public var blockSize: UInt32?
    /// A suspended system lies in it (swap "S1SUSPEND").
    public var isHibernated: Bool
    /// Which of the devices of its file system this is, where that may lie on several and says so.
    package var member: Member?

    /// One of the devices of a file system.
    package struct Member: Equatable, Sendable {
        /// The device's own UUID, in lower case with dashes: blkid's UUID_SUB. A copy of the device has the same.
        package var uuid: String
        /// How many devices the file system counts.
        package var count: UInt64

        /// Makes one.
        package init(uuid: String, count: UInt64) {
            self.uuid = uuid
            self.count = count
        }
    }

    /// Makes an identity.
    public init(
        kind: Kind, uuid: String? = nil, label: [UInt8]? = nil, version: String? = nil,
        byteCount: UInt64? = nil,
        freeByteCount: UInt64? = nil, blockSize: UInt32? = nil, isHibernated: Bool = false
    ) {
        self.kind = kind
        self.uuid = uuid
        self.label = label
        self.version = version
        self.byteCount = byteCount
        self.freeByteCount = freeByteCount
        self.blockSize = blockSize
        self.isHibernated = isHibernated
    }
}
