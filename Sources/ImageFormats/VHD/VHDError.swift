internal import Storage

/// What can be wrong with a VHD; the `code` of each error.
enum VHDCode: String, LayerCode, CaseIterable {
    static var layer: String { "vhd" }

    // The footer.
    case noFooter = "no-footer"
    case footerVersion = "footer-version"
    case unknownFeatures = "unknown-features"
    case unknownType = "unknown-type"
    case badChecksum = "bad-checksum"
    case sizeZero = "size-zero"
    case sizeTooLarge = "size-too-large"
    case sizePastFile = "size-past-file"
    case sizeTooSmall = "size-too-small"
    // The dynamic header and the block allocation table.
    case noHeader = "no-header"
    case headerVersion = "header-version"
    case blockSize = "block-size"
    case tableTooSmall = "table-too-small"
    case tableTooLarge = "table-too-large"
    case tableOutsideFile = "table-outside-file"
    case blockOutsideFile = "block-outside-file"
    case blockInMetadata = "block-in-metadata"
    case blocksOverlap = "blocks-overlap"
    /// Readers differ on what a block shows.
    case dataUnderClearBits = "data-under-clear-bits"
    /// Space that no block takes.
    case leakedSpace = "leaked-space"
    // Parents; see also ParentCode.
    case locatorTooLong = "locator-too-long"
    case locatorOutsideFile = "locator-outside-file"
    // XenServer's batmap.
    case batmapTooLarge = "batmap-too-large"
    /// The batmap says that a block is whole which is not.
    case batmapLies = "batmap-lies"
    // Writing and creating.
    case fileTooLarge = "file-too-large"
    case cannotGrow = "cannot-grow"
    case lastBlockCut = "last-block-cut"
    case badOption = "bad-option"
}

extension StorageError {
    /// An error of the VHD layer.
    static func vhd(
        _ kind: Kind, _ code: VHDCode, _ message: String, structure: String? = nil, field: String? = nil,
        offset: UInt64? = nil, path: String? = nil, remedies: [Remedy] = []
    ) -> StorageError {
        StorageError(
            kind, code, message, structure: structure, field: field,
            offset: offset, path: path, remedies: remedies)
    }
}
