internal import Storage

/// What can be wrong with a qcow version 1 image; the `code` of each error. See also ParentCode.
enum QCOW1Code: String, LayerCode, CaseIterable {
    static var layer: String { "qcow" }

    case truncatedHeader = "truncated-header"
    case badMagic = "bad-magic"
    case clusterBits = "cluster-bits"
    case tableBits = "table-bits"
    case diskSize = "disk-size"
    case tablePlace = "table-place"
    case backingName = "backing-name"
    case encrypted
    case unknownEncryption = "unknown-encryption"
    case outsideFile = "outside-file"
    case overlap
    case overlapUnknown = "overlap-unknown"
}

extension StorageError {
    /// An error of the qcow layer.
    static func qcow1(
        _ kind: Kind, _ code: QCOW1Code, _ message: String, structure: String? = nil, field: String? = nil,
        offset: UInt64? = nil, remedies: [Remedy] = []
    ) -> StorageError {
        StorageError(
            kind, code, message, structure: structure, field: field, offset: offset, remedies: remedies)
    }
}
