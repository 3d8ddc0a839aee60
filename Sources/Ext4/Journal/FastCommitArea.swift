internal import Storage

/// Fast commits found behind the log: changes that the kernel wrote as short records instead of whole blocks,
/// and that count after the last full commit (Linux documentation, filesystems/ext4/journal: "Fast commits").
package struct FastCommitArea: Equatable, Sendable {
    /// The kinds of records, `fc_tag`.
    package enum Tag: UInt16, Sendable {
        case addRange = 1
        case deleteRange = 2
        case create = 3
        case link = 4
        case unlink = 5
        case inode = 6
        case padding = 7
        case tail = 8
        case head = 9
    }

    /// A record: its kind and where its value lies.
    package struct Record: Equatable, Sendable {
        /// The kind.
        package var tag: Tag
        /// The journal's block.
        package var block: UInt32
        /// The value's bytes within that block.
        package var value: Range<Int>
    }

    /// The records that count, in order, heads and tails included, padding left out.
    package let records: [Record]

    /// More records than a fast-commit area of any size in use holds; bounds the memory that a scan can take.
    static let maximumRecordCount = 1 << 20

    /// The bytes that a value has at least: a number a field (and 128 for an inode).
    private static func minimumByteCount(_ tag: Tag) -> Int {
        switch tag {
        case .addRange: 16
        case .deleteRange: 12
        case .create, .link, .unlink: 9
        case .inode: 4 + 128
        case .padding: 0
        case .tail, .head: 8
        }
    }

    /// Reads the area as the kernel's scan does: from its first block on, commits closed by a tail with the
    /// expected transaction number and a right CRC-32C count; the first thing that does not fit ends it.
    static func find(
        in journal: Journal, expectedSequence: UInt32
    ) throws(StorageError) -> FastCommitArea? {
        let superblock = journal.superblock
        guard superblock.features.incompatible.contains(.fastCommit) else { return nil }
        var records: [Record] = []
        var counted = 0
        var register: UInt32 = 0
        // The area begins one block behind the log's end: the kernel leaves that block out.
        var block = superblock.logEnd + 1
        scan: while block < superblock.blockCount {
            let bytes = try journal.file.block(block)
            var offset = 0
            while offset + 4 <= bytes.count {
                let count = Int(bytes.little(offset + 2, as: UInt16.self))
                let value = offset + 4..<offset + 4 + count
                guard let tag = Tag(rawValue: bytes.little(offset)), count >= minimumByteCount(tag),
                    value.upperBound <= bytes.count
                else { break scan }
                guard records.count < maximumRecordCount else {
                    throw .memoryBound(
                        "ext4", "the fast commits have more than \(maximumRecordCount) records; run e2fsck",
                        structure: "fast commit")
                }
                if tag != .padding { records.append(Record(tag: tag, block: block, value: value)) }
                switch tag {
                case .head:
                    guard bytes.little(offset + 4, as: UInt32.self) == 0,
                        bytes.little(offset + 8) == expectedSequence
                    else { break scan }
                    register = CRC32C.update(register, bytes.span8.extracting(offset..<value.upperBound))
                case .tail:
                    register = CRC32C.update(register, bytes.span8.extracting(offset..<offset + 8))
                    guard bytes.little(offset + 4) == expectedSequence,
                        bytes.little(offset + 8) == register
                    else { break scan }
                    register = 0
                    counted = records.count
                default:
                    register = CRC32C.update(register, bytes.span8.extracting(offset..<value.upperBound))
                }
                offset = value.upperBound
            }
            block += 1
        }
        return counted > 0 ? FastCommitArea(records: Array(records.prefix(counted))) : nil
    }
}
