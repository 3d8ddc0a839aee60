internal import Storage

/// What ext2, ext3 and ext4 volumes are refused for, one word a reason. The words are `StorageError.code`.
enum Ext4Code: String {
    // Superblock.
    case badMagic = "bad-magic"
    case truncatedDevice = "truncated-device"
    case badSuperblock = "bad-superblock"
    case superblockChecksum = "superblock-checksum"
    case unsupportedFeature = "unsupported-feature"
    case unsupportedRevision = "unsupported-revision"
    case journalDevice = "journal-device"
    // Groups.
    case descriptorChecksum = "descriptor-checksum"
    case badDescriptor = "bad-descriptor"
    // Inodes.
    case badInodeNumber = "bad-inode-number"
    case inodeChecksum = "inode-checksum"
    case badInode = "bad-inode"
    case notADirectory = "not-a-directory"
    case notARegularFile = "not-a-regular-file"
    case notASymbolicLink = "not-a-symbolic-link"
    case encrypted = "encrypted"
    case compressed = "compressed"
    // Maps.
    case blockOutOfRange = "block-out-of-range"
    case badExtentNode = "bad-extent-node"
    case extentChecksum = "extent-checksum"
    // Directories.
    case badDirectory = "bad-directory"
    case directoryChecksum = "directory-checksum"
    // Extended attributes and inline data.
    case badAttributes = "bad-attributes"
    case attributeChecksum = "attribute-checksum"
    case badInlineData = "bad-inline-data"
}

extension StorageError {
    /// An error of this layer. `offset` is in bytes from the volume's start.
    static func ext4(
        _ kind: Kind, _ code: Ext4Code, _ message: String, structure: String? = nil, field: String? = nil,
        offset: UInt64? = nil
    ) -> StorageError {
        StorageError(
            kind, layer: "ext4", code: code.rawValue, message, structure: structure, field: field,
            offset: offset)
    }
}
