package import Storage

/// What replaying a journal would do, found out without doing it: for every file-system block that the log
/// holds a live copy of, where the newest copy lies. Holds numbers, not blocks.
package struct JournalReplay: Sendable {
    /// Why the scan of the log ended.
    package enum End: Equatable, Sendable {
        /// The log was empty.
        case empty
        /// The next block does not continue the log.
        case endOfLog
        /// The blocks of a last transaction follow, without the commit block that would make it count.
        case uncommitted
        /// Remains of an older use of the journal follow: wrong checksums and an older commit time.
        case stale
        /// A transaction is damaged. Only when scanned with `salvage`; what precedes it counts.
        case damaged(StorageError)
    }

    /// Where the newest logged copy of a file-system block lies.
    package struct Copy: Equatable, Sendable {
        /// The file-system block.
        package var block: UInt64
        /// The block of the journal that holds its contents.
        package var journalBlock: UInt32
        /// The transaction.
        package var sequence: UInt32
        /// The first four bytes are zero in the log and the journal's magic number in truth.
        package var isEscaped: Bool
    }

    /// Sorted by block, each block once.
    package let copies: [Copy]
    /// How many transactions count.
    package let transactionCount: Int
    /// The number of the first transaction that does not.
    package let nextSequence: UInt32
    /// Why the scan ended.
    package let end: End
    /// Fast commits that follow the log; nil when there are none.
    package let fastCommits: FastCommitArea?

    /// Whether nothing would be written.
    package var isEmpty: Bool { copies.isEmpty && fastCommits == nil }

    /// The copy of a file-system block, or nil when its home is current.
    package func copy(of block: UInt64) -> Copy? {
        let index = firstIndex(notBelow: block)
        guard index < copies.count, copies[index].block == block else { return nil }
        return copies[index]
    }

    /// The index of the first copy of a block at or above `block`; `copies.count` when there is none.
    package func firstIndex(notBelow block: UInt64) -> Int {
        copies.firstIndex(sortedBy: { $0.block >= block })
    }

    /// A copy's contents as they belong in the file system.
    package func contents(of copy: Copy, in file: JournalFile) throws(StorageError) -> [UInt8] {
        var bytes = try file.block(copy.journalBlock)
        if copy.isEscaped { bytes.storeBig(JournalBlockHeader.magic, at: 0) }
        return bytes
    }
}
