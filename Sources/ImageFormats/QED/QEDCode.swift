internal import Storage

/// What can be wrong with a QED image; the `code` of each error. See also ParentCode.
enum QEDCode: String, LayerCode, CaseIterable {
    static var layer: String { "qed" }

    case truncatedHeader = "truncated-header"
    case badMagic = "bad-magic"
    case unknownFeatures = "unknown-features"
    case clusterSize = "cluster-size"
    case tableSize = "table-size"
    case headerSize = "header-size"
    case diskSize = "disk-size"
    case tablePlace = "table-place"
    case backingName = "backing-name"
    case outsideFile = "outside-file"
    case overlap
    case overlapUnknown = "overlap-unknown"
    case notClosed = "not-closed"
}

extension StorageError {
    /// An error of the QED layer.
    static func qed(
        _ kind: Kind, _ code: QEDCode, _ message: String, structure: String? = nil, field: String? = nil,
        offset: UInt64? = nil, remedies: [Remedy] = []
    ) -> StorageError {
        StorageError(
            kind, code, message, structure: structure, field: field, offset: offset, remedies: remedies)
    }
}
