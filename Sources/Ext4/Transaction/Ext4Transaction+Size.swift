internal import Storage

extension Ext4Transaction {
    /// A transaction that holds more than this is asked to be committed.
    private static var memoryGoal: Int { 32 << 20 }

    /// Half of the journal, or 32 MiB of blocks: one more operation of any usual size still fits.
    package var shouldBeCommitted: Bool {
        if dirty.count + stages.blockCount >= Self.memoryGoal / geometry.blockSize { return true }
        guard let journal = target.journal else { return false }
        // Bitmaps and descriptors join at the end; every block that was not free goes through the journal.
        let logged = loggedBlockCount + 2 * (blockBitmaps.count + inodeBitmaps.count)
        return logged >= JournalCommit.maximumBlockCount(in: journal) / 2
    }

    /// Blocks that were in use before: those that were free are written outside the journal.
    private var loggedBlockCount: Int { max(dirty.count - fresh.count, 0) }
}
