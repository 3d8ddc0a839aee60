internal import Storage

/// What can be wrong with a VDI; the `code` of each error. See also ParentCode.
enum VDICode: String, LayerCode, CaseIterable {
    static var layer: String { "vdi" }

    // The header.
    case truncatedHeader = "truncated-header"
    case badSignature = "bad-signature"
    case unknownVersion = "unknown-version"
    case headerSize = "header-size"
    case unknownType = "unknown-type"
    case sectorSize = "sector-size"
    case blockSize = "block-size"
    case diskSize = "disk-size"
    case blockCount = "block-count"
    case mapPlace = "map-place"
    case dataPlace = "data-place"
    // The block map.
    case blockOutsideFile = "block-outside-file"
    case blocksOverlap = "blocks-overlap"
    case leakedSpace = "leaked-space"
    // Writing and creating.
    case allocatedCount = "allocated-count"
    case blockExtra = "block-extra"
    case fileTooLarge = "file-too-large"
    case cannotGrow = "cannot-grow"
    case mapFull = "map-full"
    case badOption = "bad-option"
}

extension StorageError {
    /// An error of the VDI layer.
    static func vdi(
        _ kind: Kind, _ code: VDICode, _ message: String, structure: String? = nil, field: String? = nil,
        offset: UInt64? = nil, path: String? = nil, remedies: [Remedy] = []
    ) -> StorageError {
        StorageError(
            kind, code, message, structure: structure, field: field, offset: offset, path: path,
            remedies: remedies)
    }
}
