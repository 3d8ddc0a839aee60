/// The features that a JBD2 journal declares in its own superblock (`s_feature_compat`, `s_feature_incompat`);
/// they are independent of the file system's.
package struct JournalFeatures: Equatable, Sendable {
    /// `s_feature_compat`: may be ignored when unknown.
    package struct Compatible: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        /// A CRC-32 of each transaction's descriptors and blocks in its commit block (checksum version 1).
        package static let checksum = Compatible(rawValue: 0x1)
    }

    /// `s_feature_incompat`: a journal with an unknown bit is not read.
    package struct Incompatible: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        /// The log may hold revoke records.
        package static let revoke = Incompatible(rawValue: 0x1)
        /// Block numbers have 64 bits.
        package static let wideBlockNumbers = Incompatible(rawValue: 0x2)
        /// A commit block may reach the disk before the blocks that it commits.
        package static let asynchronousCommit = Incompatible(rawValue: 0x4)
        /// CRC-32C of every block, 16 bits of it in the tags (version 2).
        package static let checksumV2 = Incompatible(rawValue: 0x8)
        /// CRC-32C of every block, 32 bits of it in the tags (version 3).
        package static let checksumV3 = Incompatible(rawValue: 0x10)
        /// The end of the journal holds fast commits.
        package static let fastCommit = Incompatible(rawValue: 0x20)

        /// Everything this journal reader understands.
        package static let known: Incompatible = [
            .revoke, .wideBlockNumbers, .asynchronousCommit, .checksumV2, .checksumV3, .fastCommit,
        ]
    }

    /// Optional properties.
    package var compatible: Compatible
    /// Properties that a reader must know.
    package var incompatible: Incompatible

    /// A version 1 journal declares nothing.
    package static let none = JournalFeatures(compatible: [], incompatible: [])

    /// Whether log blocks carry CRC-32C (version 2 or 3).
    package var hasMetadataChecksums: Bool {
        !incompatible.isDisjoint(with: [.checksumV2, .checksumV3])
    }

    /// The names that dumpe2fs prints.
    package var names: [String] {
        var names: [String] = []
        if compatible.contains(.checksum) { names.append("journal_checksum") }
        let known: [(Incompatible, String)] = [
            (.revoke, "journal_incompat_revoke"), (.wideBlockNumbers, "journal_64bit"),
            (.asynchronousCommit, "journal_async_commit"), (.checksumV2, "journal_checksum_v2"),
            (.checksumV3, "journal_checksum_v3"), (.fastCommit, "journal_fast_commit"),
        ]
        for (bit, name) in known where incompatible.contains(bit) { names.append(name) }
        return names
    }
}
