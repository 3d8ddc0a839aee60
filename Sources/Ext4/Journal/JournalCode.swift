internal import Storage

/// Every reason for which the journal is refused, found damaged or not written; unique within the layer "ext4".
package enum JournalCode: String, LayerCode {
    package static var layer: String { "ext4" }

    // Where the journal lies.
    case external = "journal-external"
    case runsInvalid = "journal-runs-invalid"
    case tooLong = "journal-too-long"
    case deviceTruncated = "journal-device-truncated"
    case blockOutsideFile = "journal-block-outside-file"
    // Its superblock.
    case badMagic = "journal-bad-magic"
    case badSuperblockType = "journal-bad-superblock-type"
    case blockSizeMismatch = "journal-block-size-mismatch"
    case lengthBeyondFile = "journal-length-beyond-file"
    case badFirstBlock = "journal-bad-first-block"
    case badStart = "journal-bad-start"
    case unknownFeatures = "journal-unknown-features"
    case contradictingFeatures = "journal-contradicting-features"
    case unknownChecksumType = "journal-unknown-checksum-type"
    case superblockChecksum = "journal-superblock-checksum"
    case shared = "journal-shared"
    case badFastCommitArea = "journal-bad-fast-commit-area"
    // The log.
    case logLaps = "journal-log-laps"
    case descriptorChecksum = "journal-descriptor-checksum"
    case revokeChecksum = "journal-revoke-checksum"
    case commitChecksum = "journal-commit-checksum"
    case dataChecksum = "journal-data-checksum"
    case badRevokeCount = "journal-bad-revoke-count"
    case targetOutsideFileSystem = "journal-target-outside-file-system"
    case targetInJournal = "journal-target-in-journal"
    case fastCommitRecord = "journal-fast-commit-record"
    // Writing.
    case notEmpty = "journal-not-empty"
    case doesNotFit = "journal-transaction-too-large"
    case badChange = "journal-bad-change"
    case fastCommitRecords = "journal-fast-commit-records"
    case notASuperblock = "journal-not-a-superblock"
    case badFreeCounts = "journal-bad-free-counts"
}

extension StorageError {
    /// An error of the journal, which belongs to the layer "ext4".
    static func journal(
        _ kind: Kind, _ code: JournalCode, _ message: String, structure: String = "journal",
        field: String? = nil, offset: UInt64? = nil
    ) -> StorageError {
        StorageError(
            kind, code, message, structure: structure, field: field,
            offset: offset)
    }
}
