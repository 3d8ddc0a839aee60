internal import Storage

/// What XFS volumes are refused for, one word a reason. The words are `StorageError.code`.
enum XFSCode: String, LayerCode {
    static var layer: String { "xfs" }

    // Superblock.
    case badMagic = "bad-magic"
    case truncatedDevice = "truncated-device"
    case badSuperblock = "bad-superblock"
    case superblockChecksum = "superblock-checksum"
    case unsupportedFeature = "unsupported-feature"
    case unsupportedVersion = "unsupported-version"
    // Blocks and allocation groups.
    case blockOutOfRange = "block-out-of-range"
    case badGroupHeader = "bad-group-header"
    case groupChecksum = "group-checksum"
    case badTree = "bad-tree"
    case treeChecksum = "tree-checksum"
    // Inodes and their maps.
    case badInodeNumber = "bad-inode-number"
    case inodeChecksum = "inode-checksum"
    case badInode = "bad-inode"
    case freeInode = "free-inode"
    case badMap = "bad-map"
    case notADirectory = "not-a-directory"
    case notARegularFile = "not-a-regular-file"
    case notASymbolicLink = "not-a-symbolic-link"
    case badSymbolicLink = "bad-symbolic-link"
    case realTime = "real-time"
    // Directories and attributes.
    case badDirectory = "bad-directory"
    case directoryChecksum = "directory-checksum"
    case badAttributes = "bad-attributes"
    case attributeChecksum = "attribute-checksum"
    // What forbids writing.
    case unwritableFeature = "unwritable-feature"
    case notClean = "not-clean"
    case immutable = "immutable"
    case noSpace = "no-space"
    case fileFragmented = "file-fragmented"
    case fileTooLong = "file-too-long"
    case directoryFragmented = "directory-fragmented"
    case directoryFull = "directory-full"
    case attributesFull = "attributes-full"
    case badAttributeName = "bad-attribute-name"
    case misplacedAttribute = "misplaced-attribute"
    case noAttribute = "no-attribute"
    case badName = "bad-name"
    case badNode = "bad-node"
    case noEntry = "no-entry"
    case notEmpty = "not-empty"
    case isADirectory = "is-a-directory"
    case tooManyLinks = "too-many-links"
    case otherProject = "other-project"
    case foldedNames = "folded-names"
    case logFull = "log-full"
    case badLabel = "bad-label"
    // The log.
    case badLog = "bad-log"
    case logChecksum = "log-checksum"
    case foreignLog = "foreign-log"
}

extension StorageError {
    /// An error of this layer. `offset` is in bytes from the volume's start.
    static func xfs(
        _ kind: Kind, _ code: XFSCode, _ message: String, structure: String? = nil, field: String? = nil,
        offset: UInt64? = nil, remedies: [Remedy] = []
    ) -> StorageError {
        StorageError(
            kind, code, message, structure: structure, field: field, offset: offset, remedies: remedies)
    }
}
