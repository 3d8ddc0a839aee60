internal import Storage

/// What FAT volumes are refused for, one word a reason. The words are `StorageError.code`.
enum FATCode: String, LayerCode, CaseIterable {
    static var layer: String { "vfat" }

    // Boot sector.
    case noBootSector = "no-boot-sector"
    case badGeometry = "bad-geometry"
    case truncatedDevice = "truncated-device"
    case unknownCodePage = "unknown-code-page"
    // Allocation table.
    case clusterOutOfRange = "cluster-out-of-range"
    case freeClusterInChain = "free-cluster-in-chain"
    case badClusterInChain = "bad-cluster-in-chain"
    case chainLoop = "chain-loop"
    case chainTooShort = "chain-too-short"
    case chainTooLong = "chain-too-long"
    case crossLinked = "cross-linked"
    case lostClusters = "lost-clusters"
    case tablesDiffer = "tables-differ"
    case secondTableLive = "second-table-live"
    case badFirstEntries = "bad-first-entries"
    // Directories.
    case noSuchFile = "no-such-file"
    case notADirectory = "not-a-directory"
    case notARegularFile = "not-a-regular-file"
    case directoryTooLong = "directory-too-long"
    case badDotEntries = "bad-dot-entries"
    case badName = "bad-name"
    case duplicateName = "duplicate-name"
    case orphanedLongName = "orphaned-long-name"
    // State.
    case dirty = "dirty"
    case hardError = "hard-error"
    case wrongFreeCount = "wrong-free-count"
    case badInformationSector = "bad-information-sector"
    case backupDiffers = "backup-differs"
    case lostBootSector = "lost-boot-sector"
    // What forbids writing to the volume.
    case damaged = "damaged"
    // What forbids a change.
    case noSpace = "no-space"
    case rootFull = "root-full"
    case directoryFull = "directory-full"
    case fileTooLong = "file-too-long"
    case noEntry = "no-entry"
    case notEmpty = "not-empty"
    case intoItself = "into-itself"
    case notSettable = "not-settable"
    case badLabel = "bad-label"
}

extension StorageError {
    /// An error of this layer. `offset` is in bytes from the volume's start.
    static func fat(
        _ kind: Kind, _ code: FATCode, _ message: String, structure: String? = nil, field: String? = nil,
        offset: UInt64? = nil
    ) -> StorageError {
        StorageError(kind, code, message, structure: structure, field: field, offset: offset)
    }
}
