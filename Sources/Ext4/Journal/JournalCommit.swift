package import Storage

/// One atomic change of a file system, laid out as a JBD2 transaction that is written and checkpointed at once.
/// Everything is checked and computed when it is made; committing `writes` only writes.
///
/// What a power cut leaves, phase by phase (a flush ends each; writes within one may arrive in any order):
///
/// | phase | on the disk | who comes next sees |
/// |---|---|---|
/// | `new data` | freshly allocated blocks, which nothing refers to yet | the old contents |
/// | `log` | RECOVER in the superblock; descriptors, copies and commit block in the log | the old: `s_start` is 0 |
/// | `commit` | the journal superblock points at the log | old before this one sector, new with it |
/// | `home` | the blocks at their places | the new: the log is replayed |
/// | `checkpoint` | the journal superblock says empty, next transaction number | the new |
/// | `clean` | RECOVER cleared | the new |
///
/// The flag is set before the log counts and cleared after it is empty, because the kernel throws a log away that
/// RECOVER does not announce, and `e2fsck -p` stops at one.
package struct JournalCommit: Sendable {
    /// What the phases are called; see the table above.
    package enum Step: String, Sendable, CaseIterable {
        case newData = "new data"
        case log, commit, home, checkpoint, clean
    }

    /// In the order of `Step`; empty when nothing changes.
    package let writes: OrderedWrites
    /// The journal as the commit leaves it.
    package let journalAfter: Journal
    /// The primary superblock as the commit leaves it.
    package let superblockAfter: [UInt8]

    /// Lays a transaction out and checks that it can be written.
    ///
    /// - Parameters:
    ///   - journal: an empty journal; after a replay, `JournalRecovery.journalAfter`.
    ///   - superblock: the 1024 bytes of the primary superblock as they are before, RECOVER clear.
    ///   - changes: metadata blocks, and data blocks whose change must be atomic, in ascending order. The block
    ///     with the primary superblock may be among them; RECOVER is set and cleared in it as needed.
    ///   - newData: contents of blocks that were free before and are not logged, in ascending order.
    ///   - seconds: the commit's time, Unix.
    /// - Throws: `refused` when the journal is not empty or the transaction does not fit it; `misuse` for blocks
    ///   that a transaction cannot hold.
    package init(
        _ journal: Journal, superblock: [UInt8], changes: [BlockChange], newData: [BlockChange] = [],
        seconds: UInt64
    ) throws(StorageError) {
        let before = Superblock(superblock)
        try journal.file.requireWholeDevice()
        try Self.check(journal, before)
        try Self.check(changes, in: journal)
        try Self.check(newData, in: journal)
        var writes = OrderedWrites()
        writes.add(.newData, Self.homeWrites(newData, blockSize: journal.file.blockSize))
        guard !changes.isEmpty else {
            self.writes = writes
            journalAfter = journal
            superblockAfter = superblock
            return
        }
        let needed = Self.logBlockCount(changes.count, in: journal)
        guard needed <= Int(journal.superblock.logBlockCount) else {
            throw .journal(
                .refused, .doesNotFit,
                "the change needs \(needed) blocks of the journal, which has \(journal.superblock.logBlockCount); "
                    + "free some space, so that contents can go to new blocks, or make the journal larger "
                    + "(tune2fs -O ^has_journal, then tune2fs -J size=64)"
            )
        }

        let (changes, after) = try Self.settingNeedsRecovery(
            in: changes, before, blockSize: journal.file.blockSize)
        let sequence = journal.superblock.sequence
        var committed = journal.superblock
        committed.setLog(start: committed.firstLogBlock, sequence: sequence)
        var empty = journal.superblock
        empty.setLog(start: 0, sequence: sequence &+ 1)
        let log = try JournalTransactionLog(journal, changes: changes, sequence: sequence, seconds: seconds)
        let announce = OrderedWrites.Write(
            offset: Superblock.byteOffset, bytes: before.settingNeedsRecovery(true).bytes)
        let journalOffset = try journal.file.byteOffset(0)

        writes.add(.log, [announce] + log.writes)
        writes.add(.commit, [.init(offset: journalOffset, bytes: committed.bytes)])
        writes.add(.home, Self.homeWrites(changes, blockSize: journal.file.blockSize))
        writes.add(.checkpoint, [.init(offset: journalOffset, bytes: empty.bytes)])
        writes.add(.clean, [.init(offset: Superblock.byteOffset, bytes: after.bytes)])
        self.writes = writes
        journalAfter = Journal(file: journal.file, superblock: empty)
        superblockAfter = after.bytes
    }

    /// Log blocks that a transaction of `count` blocks takes: descriptors, copies, commit block.
    package static func logBlockCount(_ count: Int, in journal: Journal) -> Int {
        let capacity = journal.tagFormat.capacity(blockSize: journal.file.blockSize)
        return count + count.dividedRoundingUp(by: capacity) + 1
    }

    /// How many blocks one transaction can hold at most.
    package static func maximumBlockCount(in journal: Journal) -> Int {
        let capacity = journal.tagFormat.capacity(blockSize: journal.file.blockSize)
        let room = Int(journal.superblock.logBlockCount) - 1
        // Each full descriptor takes capacity + 1 blocks; a last one needs at least two.
        let (full, rest) = room.quotientAndRemainder(dividingBy: capacity + 1)
        return full * capacity + max(0, rest - 1)
    }

    private static func check(_ journal: Journal, _ superblock: Superblock) throws(StorageError) {
        guard superblock.bytes.count == Superblock.byteCount,
            superblock.bytes.little(Superblock.Offset.magic) == Superblock.magic, superblock.revision > 0,
            superblock.compatible.contains(.hasJournal)
        else {
            throw .journal(
                .misuse, .notASuperblock, "a transaction needs the superblock of a file system with a journal"
            )
        }
        guard journal.superblock.isEmpty, !superblock.needsRecovery else {
            throw .journal(
                .refused, .notEmpty,
                "the journal has changes that were not replayed; run e2fsck -p, or start and shut down the guest"
            )
        }
    }

    private static func check(_ changes: [BlockChange], in journal: Journal) throws(StorageError) {
        var previous: UInt64?
        for change in changes {
            guard change.bytes.count == journal.file.blockSize,
                change.block < journal.file.fileSystemBlockCount,
                change.block <= journal.tagFormat.maximumBlock,
                !journal.file.contains(deviceBlock: change.block), previous.map({ $0 < change.block }) ?? true
            else {
                throw .journal(
                    .misuse, .badChange,
                    "block \(change.block) cannot be part of a transaction: blocks must be whole, ascending, inside the file system and outside its journal"
                )
            }
            previous = change.block
        }
    }

    private static func homeWrites(_ changes: [BlockChange], blockSize: Int) -> [OrderedWrites.Write] {
        changes.map { .init(offset: $0.block * UInt64(blockSize), bytes: $0.bytes) }
    }

    /// The changes with RECOVER set in the superblock, if they hold it, and the superblock as it will be in the
    /// end, RECOVER clear.
    private static func settingNeedsRecovery(
        in changes: [BlockChange], _ before: Superblock, blockSize: Int
    ) throws(StorageError) -> (changes: [BlockChange], after: Superblock) {
        let place = Superblock.place(blockSize: blockSize)
        guard let index = changes.firstIndex(where: { $0.block == place.block }) else {
            return (changes, before.settingNeedsRecovery(false))
        }
        var changes = changes
        let range = place.offset..<place.offset + Superblock.byteCount
        let new = Superblock(Array(changes[index].bytes[range]))
        guard new.bytes.little(Superblock.Offset.magic) == Superblock.magic else {
            throw .journal(
                .misuse, .notASuperblock, "block \(place.block) must hold the superblock and does not")
        }
        changes[index].bytes.replaceSubrange(range, with: new.settingNeedsRecovery(true).bytes)
        return (changes, new.settingNeedsRecovery(false))
    }
}

extension OrderedWrites {
    fileprivate mutating func add(_ step: JournalCommit.Step, _ writes: [Write]) {
        add(step.rawValue, writes, areUnreferenced: step == .newData)
    }
}
