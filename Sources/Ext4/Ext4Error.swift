internal import Storage

/// What ext2, ext3 and ext4 volumes are refused for, one word a reason. The words are `StorageError.code`.
enum Ext4Code: String, LayerCode {
    static var layer: String { "ext4" }

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
    // What forbids writing to the volume.
    case unwritableFeature = "unwritable-feature"
    case errorState = "error-state"
    case notClean = "not-clean"
    case multiMount = "multi-mount-protection"
    // What forbids a change.
    case reservedInode = "reserved-inode"
    case immutable = "immutable"
    case appendOnly = "append-only"
    case verity = "verity"
    case quota = "quota"
    case noSpace = "no-space"
    case fileTooLong = "file-too-long"
    case badLabel = "bad-label"
    case badName = "bad-name"
    case badNode = "bad-node"
    case noEntry = "no-entry"
    case isADirectory = "is-a-directory"
    case notEmpty = "not-empty"
    case otherProject = "other-project"
    case caseFolded = "casefold"
    case noInodes = "no-inodes"
    case tooManyLinks = "too-many-links"
    case badIndex = "bad-index"
    case directoryFull = "directory-full"
    case badAttributeName = "bad-attribute-name"
    case noAttribute = "no-attribute"
    case misplacedAttribute = "misplaced-attribute"
    case attributesFull = "attributes-full"
    case attributeInode = "attribute-inode"
    // Bitmaps.
    case bitmapChecksum = "bitmap-checksum"
    case bitmapCount = "bitmap-count"
    case bitmapDamaged = "bitmap-damaged"
}

extension StorageError {
    /// An error of this layer. `offset` is in bytes from the volume's start.
    static func ext4(
        _ kind: Kind, _ code: Ext4Code, _ message: String, structure: String? = nil, field: String? = nil,
        offset: UInt64? = nil
    ) -> StorageError {
        StorageError(
            kind, code, message, structure: structure, field: field,
            offset: offset)
    }
}
