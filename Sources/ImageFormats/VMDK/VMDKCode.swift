internal import Storage

/// Why a VMDK is refused: the codes of layer "vmdk".
enum VMDKCode: String, LayerCode {
    static var layer: String { "vmdk" }

    // Descriptor.
    case descriptorTooLarge = "descriptor-too-large"
    case notADescriptor = "not-a-descriptor"
    case descriptorVersion = "descriptor-version"
    case duplicateKey = "duplicate-key"
    case contentID = "content-id"
    case createType = "create-type"
    case rawDevice = "raw-device"
    case encoding = "encoding"
    case encrypted = "encrypted"
    case changeTracking = "change-tracking"
    // Extent lines.
    case extentLine = "extent-line"
    case extentType = "extent-type"
    case extentCount = "extent-count"
    case extentName = "extent-name"
    case extentSize = "extent-size"
    case extentOverlap = "extent-overlap"
    case noAccess = "no-access"
    case readOnlyExtent = "read-only-extent"
    case zeroExtent = "zero-extent"
    case diskSize = "disk-size"
    // Sparse header.
    case foreignExtent = "foreign-extent"
    case headerVersion = "header-version"
    case incompatibleFlags = "incompatible-flags"
    case lineEnds = "line-ends"
    case capacity = "capacity"
    case grainSize = "grain-size"
    case tableEntries = "table-entries"
    case directoryTooLarge = "directory-too-large"
    case directoryPlace = "directory-place"
    case compression = "compression"
    case unfinished = "unfinished"
    // seSparse.
    case journal = "journal"
    case volatileHeader = "volatile-header"
    case grainEntry = "grain-entry"
    case footer = "footer"
    // Tables and grains.
    case grainTable = "grain-table"
    case grainPlace = "grain-place"
    case grainHeader = "grain-header"
    case tablesDiffer = "tables-differ"
    case freeSector = "free-sector"
    case grainsOverlap = "grains-overlap"
    case leakedSpace = "leaked-space"
    case unclean = "unclean"
    // Writing.
    case streamOptimized = "stream-optimized"
    case seSparse = "se-sparse"
    case bareExtent = "bare-extent"
    case damagedDirectory = "damaged-directory"
    case unalignedExtent = "unaligned-extent"
    case grainInMetadata = "grain-in-metadata"
    case fileFull = "file-full"
    case growthOfParts = "resize-of-parts"
    /// A byte past the end of the disk.
    case outOfRange = "out-of-range"
    /// Space is asked for in an extent that has all of its own.
    case notSparse = "not-sparse"
    case bytesBehindExtent = "bytes-behind-extent"
    // Creating.
    case option = "option"
    case fileName = "file-name"
}

extension StorageError {
    /// An error of layer "vmdk".
    static func vmdk(
        _ kind: Kind, _ code: VMDKCode, _ message: String, structure: String? = nil, field: String? = nil,
        offset: UInt64? = nil, path: String? = nil, remedies: [Remedy] = []
    ) -> StorageError {
        StorageError(
            kind, code, message, structure: structure, field: field,
            offset: offset, path: path, remedies: remedies)
    }
}
