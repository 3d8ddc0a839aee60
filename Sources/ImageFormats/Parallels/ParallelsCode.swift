internal import Storage

/// What can be wrong with a Parallels image; the `code` of each error.
enum ParallelsCode: String, LayerCode, CaseIterable {
    static var layer: String { "parallels" }

    case truncatedHeader = "truncated-header"
    case badMagic = "bad-magic"
    case unknownVersion = "unknown-version"
    case blockSize = "block-size"
    case diskSize = "disk-size"
    case tableSize = "table-size"
    case notClosed = "not-closed"
    case outsideFile = "outside-file"
    case overlap
    case overlapUnknown = "overlap-unknown"
}

extension StorageError {
    /// An error of the Parallels layer.
    static func parallels(
        _ kind: Kind, _ code: ParallelsCode, _ message: String, structure: String? = nil,
        field: String? = nil,
        offset: UInt64? = nil, remedies: [Remedy] = []
    ) -> StorageError {
        StorageError(
            kind, code, message, structure: structure, field: field, offset: offset, remedies: remedies)
    }
}
