internal import Storage

/// Why a qcow2 image is refused: the `code` of every error that this format throws.
enum QCOW2Code: String, LayerCode, CaseIterable {
    static var layer: String { "qcow2" }

    // The header.
    case truncatedHeader = "truncated-header"
    case badMagic = "bad-magic"
    case version
    case clusterSize = "cluster-size"
    case headerLength = "header-length"
    case refcountOrder = "refcount-order"
    case compressionType = "compression-type"
    case unknownFeature = "unknown-feature"
    case virtualSize = "virtual-size"
    case backingName = "backing-name"
    case headerExtension = "header-extension"
    case l1TooLarge = "l1-too-large"
    case l1TooSmall = "l1-too-small"
    case l1Offset = "l1-offset"
    case refcountTableTooLarge = "refcount-table-too-large"
    case refcountTableOffset = "refcount-table-offset"
    case snapshotTable = "snapshot-table"
    case encryptionMethod = "encryption-method"

    // Features that are not built, or not safe to write to.
    case backingFormat = "backing-format"
    case dataFile = "data-file"
    case extendedL2 = "extended-l2"
    case encrypted
    case snapshots
    case dirty
    case markedCorrupt = "marked-corrupt"

    // The tables.
    case l2TableOffset = "l2-table-offset"
    case clusterOffset = "cluster-offset"
    case clusterBeyondEnd = "cluster-beyond-end"
    case zeroClusterInVersion2 = "zero-cluster-in-version-2"
    case refcountBlockOffset = "refcount-block-offset"
    case noRefcountTable = "no-refcount-table"
    case bitmapDirectory = "bitmap-directory"
    case bitmapTable = "bitmap-table"
    case metadataOverlap = "metadata-overlap"
    case clusterOverlapsMetadata = "cluster-overlaps-metadata"
    case refcountZero = "refcount-zero"
    case refcountBeyondEnd = "refcount-beyond-end"
    case copiedFlag = "copied-flag"
    case refcountTooLow = "refcount-too-low"
    case checkNotBuilt = "check-not-built"
    case damagedNotRepaired = "damaged-not-repaired"
    /// Clusters that nothing refers to are counted.
    case leakedClusters = "leaked-clusters"

    // Writing and creating.
    case fileTooLarge = "file-too-large"
    case deviceFull = "device-full"
    case sessionFailed = "session-failed"
    /// Writing has not begun.
    case noSession = "no-session"
    /// Space was asked for that is no whole clusters.
    case unalignedAllocation = "unaligned-allocation"
    case optionValue = "option-value"
    case sizeTooLarge = "size-too-large"
    case growthLimit = "resize-limit"

    /// The kind of error that the code stands for.
    var kind: StorageError.Kind {
        switch self {
        case .version, .unknownFeature, .dataFile, .extendedL2, .encrypted, .backingFormat,
            .checkNotBuilt:
            .unsupported
        case .snapshots, .dirty, .markedCorrupt, .deviceFull, .sessionFailed,
            .fileTooLarge, .sizeTooLarge, .growthLimit, .damagedNotRepaired:
            .refused
        case .optionValue, .noSession, .unalignedAllocation: .misuse
        default: .corrupt
        }
    }
}

extension StorageError {
    /// An error of this format.
    static func qcow2(
        _ code: QCOW2Code, _ message: String, structure: String? = nil, field: String? = nil,
        offset: UInt64? = nil, remedies: [Remedy] = []
    ) -> StorageError {
        StorageError(
            code.kind, code, message, structure: structure, field: field,
            offset: offset, remedies: remedies)
    }
}
