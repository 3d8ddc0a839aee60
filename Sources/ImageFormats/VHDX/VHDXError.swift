internal import Storage

/// What can be wrong with a VHDX; the `code` of each error. Parents: see also `ParentCode`.
enum VHDXCode: String, LayerCode, CaseIterable {
    static var layer: String { "vhdx" }

    // Headers and region tables.
    case notVHDX = "not-vhdx"
    case noHeader = "no-valid-header"
    case headersContradict = "headers-contradict"
    case headerVersion = "header-version"
    case logVersion = "log-version"
    case noRegionTable = "no-valid-region-table"
    case unknownRegion = "unknown-required-region"
    case regionMissing = "region-missing"
    case regionDuplicate = "region-duplicate"
    case regionPlace = "region-place"
    case regionsOverlap = "regions-overlap"
    // Metadata.
    case metadataTable = "metadata-table"
    case unknownItem = "unknown-required-item"
    case itemMissing = "item-missing"
    case itemDuplicate = "item-duplicate"
    case itemPlace = "item-place"
    case blockSize = "block-size"
    case sectorSize = "sector-size"
    case diskSize = "disk-size"
    case parentLocator = "parent-locator"
    // The block allocation table.
    case tableTooSmall = "table-too-small"
    case blockState = "block-state"
    case blockOutsideFile = "block-outside-file"
    case blockInMetadata = "block-in-metadata"
    case blocksOverlap = "blocks-overlap"
    case bitmapMissing = "sector-bitmap-missing"
    /// Space that no block takes.
    case leakedSpace = "leaked-space"
    // The log.
    case logPlace = "log-place"
    case logEntry = "log-entry"
    case logTooLarge = "log-too-large"
    /// Writes of the log are not in their places yet.
    case logPending = "log-pending"
    case fileTruncated = "file-truncated"
    // Writing and creating.
    case sequenceOverflow = "sequence-overflow"
    case fileTooLarge = "file-too-large"
    case cannotGrow = "cannot-grow"
    case differencingGrowth = "differencing-resize"
    case badOption = "bad-option"
}

extension StorageError {
    /// An error of the VHDX layer.
    static func vhdx(
        _ kind: Kind, _ code: VHDXCode, _ message: String, structure: String? = nil, field: String? = nil,
        offset: UInt64? = nil, path: String? = nil, remedies: [Remedy] = []
    ) -> StorageError {
        StorageError(
            kind, code, message, structure: structure, field: field,
            offset: offset, path: path, remedies: remedies)
    }
}
