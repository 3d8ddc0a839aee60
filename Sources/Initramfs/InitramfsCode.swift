internal import Storage

/// What can be wrong with an initramfs, or with what is to be added to one.
package enum InitramfsCode: String, LayerCode, CaseIterable {
    package static let layer = "initramfs"

    /// It has no bytes, or only zeros.
    case empty
    /// Neither an archive nor a compressed stream that Linux unpacks.
    case badMagic = "bad-magic"
    /// A compressed stream is damaged.
    case badStream = "damaged-stream"
    /// A stream is sound, but of a kind that Linux does not take.
    case foreignStream = "foreign-stream"
    /// An archive's header is none.
    case badHeader = "bad-header"
    /// The image, or a stream in it, ends within an entry.
    case cutShort = "cut-short"
    /// An entry or a member does not begin at a multiple of four.
    case badPadding = "bad-padding"
    /// An entry's name is none: empty, too long, without an end.
    case badName = "bad-name"
    /// An entry's name leads out of the tree.
    case nameLeadsOut = "name-leads-out"
    /// A file's checksum is wrong.
    case badChecksum = "bad-checksum"
    /// It unpacks to far more than it holds.
    case bomb
    /// It unpacks to more than is read.
    case tooLong = "too-long"
    /// It is a file system, not an archive, or the other way round.
    case notAnArchive = "not-an-archive"
    /// A unified kernel image contradicts itself.
    case badUnifiedImage = "bad-unified-image"
    /// An overlay that cannot be written, or would not do.
    case badOverlay = "bad-overlay"
    /// Nothing can be added to this image.
    case noPlace = "no-place"
}

extension StorageError {
    static func initramfs(
        _ kind: Kind, _ code: InitramfsCode, _ message: String, offset: UInt64? = nil,
        structure: String? = nil, field: String? = nil, cause: StorageError? = nil
    ) -> StorageError {
        StorageError(
            kind, code, message, structure: structure, field: field, offset: offset, cause: cause)
    }
}
