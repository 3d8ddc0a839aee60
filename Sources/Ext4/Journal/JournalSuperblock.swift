package import Storage

/// The first block of a journal (Linux documentation, filesystems/ext4/journal: "Super Block"). All fields are
/// big-endian. Kept as the bytes that were read: what a change does not mean to change survives.
package struct JournalSuperblock: Equatable, Sendable {
    /// Bytes of the structure; the rest of the block is not part of it.
    package static let byteCount = 1024
    /// The kernel refuses a fast-commit area that leaves fewer blocks than this to the log.
    static let minimumLogBlockCount: UInt32 = 1024
    /// The size of a fast-commit area whose size field is zero.
    static let defaultFastCommitBlockCount: UInt32 = 256
    /// `s_checksum_type` of CRC-32C.
    static let checksumTypeCRC32C: UInt8 = 4

    enum Field {
        static let blockSize = 0x0c
        static let blockCount = 0x10
        static let first = 0x14
        static let sequence = 0x18
        static let start = 0x1c
        static let error = 0x20
        static let compatible = 0x24
        static let incompatible = 0x28
        static let readOnlyCompatible = 0x2c
        static let uuid = 0x30
        static let userCount = 0x40
        static let checksumType = 0x50
        static let fastCommitBlockCount = 0x54
        static let checksum = 0xfc
    }

    /// The 1024 bytes.
    package private(set) var bytes: [UInt8]
    /// What the journal declares; nothing for a version 1 superblock.
    package let features: JournalFeatures
    /// `s_maxlen`: blocks of the journal, this one and a fast-commit area included.
    package let blockCount: UInt32
    /// `s_first`: the first block of the log.
    package let firstLogBlock: UInt32
    /// The block behind the log: `s_maxlen` less the fast-commit area. The log wraps here.
    package let logEnd: UInt32

    /// `s_sequence`: the number of the first transaction in the log, or of the next one when it is empty.
    package var sequence: UInt32 { bytes.big(Field.sequence) }
    /// `s_start`: the block where the log starts; 0 when there is nothing to replay.
    package var start: UInt32 { bytes.big(Field.start) }
    /// `s_errno`: nonzero when the kernel gave the file system up.
    package var errorNumber: Int32 { Int32(bitPattern: bytes.big(Field.error)) }
    /// `s_uuid`.
    package var uuid: [UInt8] { Array(bytes[Field.uuid..<Field.uuid + 16]) }
    /// Whether the log holds nothing to replay.
    package var isEmpty: Bool { start == 0 }
    /// Blocks between `firstLogBlock` and `logEnd`.
    package var logBlockCount: UInt32 { logEnd - firstLogBlock }

    /// Checks a journal's first block. `fileBlockCount` is how many blocks the journal's inode has.
    package init(_ block: [UInt8], blockSize: Int, fileBlockCount: UInt32) throws(StorageError) {
        guard block.count >= Self.byteCount, let header = JournalBlockHeader(block) else {
            throw Self.corrupt(
                .badMagic, "the journal's first block is not a journal superblock; run e2fsck")
        }
        let bytes = Array(block[0..<Self.byteCount])
        let features = try Self.features(bytes, kind: header.kind)
        try Self.verifyChecksum(bytes, features)

        let declaredSize: UInt32 = bytes.big(Field.blockSize)
        guard Int(exactly: declaredSize) == blockSize else {
            throw Self.corrupt(
                .blockSizeMismatch,
                "the journal's blocks have \(declaredSize) bytes, the file system's \(blockSize)",
                field: "s_blocksize")
        }
        let blockCount: UInt32 = bytes.big(Field.blockCount)
        guard blockCount <= fileBlockCount else {
            throw Self.corrupt(
                .lengthBeyondFile,
                "the journal claims \(blockCount) blocks and its inode has \(fileBlockCount)",
                field: "s_maxlen")
        }
        var logEnd = blockCount
        if features.incompatible.contains(.fastCommit) {
            let declared: UInt32 = bytes.big(Field.fastCommitBlockCount)
            let count = declared == 0 ? Self.defaultFastCommitBlockCount : declared
            guard let end = blockCount -? count, end >= Self.minimumLogBlockCount else {
                throw Self.corrupt(
                    .badFastCommitArea,
                    "a fast-commit area of \(count) blocks leaves no log in a journal of \(blockCount)",
                    field: "s_num_fc_blks")
            }
            logEnd = end
        }
        let first: UInt32 = bytes.big(Field.first)
        guard first >= 1, first < logEnd else {
            throw Self.corrupt(
                .badFirstBlock, "the log begins at block \(first) of a journal whose log ends at \(logEnd)",
                field: "s_first")
        }
        let start: UInt32 = bytes.big(Field.start)
        guard start == 0 || (start >= first && start < logEnd) else {
            throw Self.corrupt(
                .badStart, "the log's start, block \(start), lies outside it (\(first) to \(logEnd))",
                field: "s_start")
        }
        self.bytes = bytes
        self.features = features
        self.blockCount = blockCount
        firstLogBlock = first
        self.logEnd = logEnd
    }

    private static func features(
        _ bytes: [UInt8], kind: JournalBlockHeader.Kind?
    ) throws(StorageError) -> JournalFeatures {
        switch kind {
        case .superblockV1: return .none
        case .superblockV2: break
        case .descriptor, .commit, .revoke:
            throw corrupt(
                .badSuperblockType, "the journal's first block is a log block; run e2fsck",
                field: "h_blocktype")
        case nil:
            throw StorageError.journal(
                .unsupported, .badSuperblockType,
                "the journal's superblock is of a type newer than this program", structure: structure,
                field: "h_blocktype")
        }
        let incompatible = JournalFeatures.Incompatible(rawValue: bytes.big(Field.incompatible))
        let unknown = incompatible.subtracting(.known).rawValue
        let readOnly: UInt32 = bytes.big(Field.readOnlyCompatible)
        guard unknown == 0, readOnly == 0 else {
            let (word, name) =
                unknown != 0 ? (unknown, "s_feature_incompat") : (readOnly, "s_feature_ro_compat")
            throw StorageError.journal(
                .unsupported, .unknownFeatures,
                "the journal uses features unknown here (\(word.hex)); replay it with a newer e2fsck",
                structure: structure, field: name)
        }
        let features = JournalFeatures(
            compatible: .init(rawValue: bytes.big(Field.compatible)), incompatible: incompatible)
        // The three checksum versions exclude each other.
        let isV2 = incompatible.contains(.checksumV2)
        let isV3 = incompatible.contains(.checksumV3)
        guard !(isV2 && isV3),
            !(features.hasMetadataChecksums && features.compatible.contains(.checksum))
        else {
            throw corrupt(
                .contradictingFeatures, "the journal declares more than one version of checksums",
                field: "s_feature_incompat")
        }
        let userCount: UInt32 = bytes.big(Field.userCount)
        guard userCount <= 1 else {
            throw StorageError.journal(
                .unsupported, .shared, "the journal is shared by \(userCount) file systems",
                structure: structure, field: "s_nr_users")
        }
        return features
    }

    private static func verifyChecksum(
        _ bytes: [UInt8], _ features: JournalFeatures
    ) throws(StorageError) {
        guard features.hasMetadataChecksums else { return }
        let type = bytes[Field.checksumType]
        guard type == checksumTypeCRC32C else {
            throw StorageError.journal(
                .unsupported, .unknownChecksumType, "the journal's checksums are of unknown type \(type)",
                structure: structure, field: "s_checksum_type")
        }
        let stored: UInt32 = bytes.big(Field.checksum)
        let computed = checksum(bytes)
        guard stored == computed else {
            throw corrupt(
                .superblockChecksum,
                "the journal superblock's checksum is \(stored.hex), its contents give \(computed.hex)",
                field: "s_checksum")
        }
    }

    /// CRC-32C over the 1024 bytes with the field as zero, initial value all ones, no final xor.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var zeroed = bytes
        zeroed.storeBig(UInt32(0), at: Field.checksum)
        return CRC32C.update(~0, zeroed.span8)
    }

    /// Says that the log holds transactions from `sequence` on, starting at block `start`; 0 for none.
    mutating func setLog(start: UInt32, sequence: UInt32) {
        bytes.storeBig(start, at: Field.start)
        bytes.storeBig(sequence, at: Field.sequence)
        updateChecksum()
    }

    /// Forgets the kernel's error, once the file system's superblock records it.
    mutating func clearError() {
        bytes.storeBig(UInt32(0), at: Field.error)
        updateChecksum()
    }

    private mutating func updateChecksum() {
        guard features.hasMetadataChecksums else { return }
        bytes.storeBig(Self.checksum(bytes), at: Field.checksum)
    }

    private static let structure = "journal superblock"

    private static func corrupt(
        _ code: JournalCode, _ message: String, field: String? = nil
    ) -> StorageError {
        .journal(.corrupt, code, message, structure: structure, field: field)
    }
}
