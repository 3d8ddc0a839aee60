package import Storage

/// A change of a volume, checked and laid out.
package final class PreparedExt4Change: PreparedChange {
    private let fileSystem: Ext4FileSystem
    private let target: WriteTarget
    private let change: OrderedWrites
    private let superblockAfter: Superblock

    init(
        _ fileSystem: Ext4FileSystem, _ target: WriteTarget, _ change: OrderedWrites,
        superblockAfter: Superblock
    ) {
        self.fileSystem = fileSystem
        self.target = target
        self.change = change
        self.superblockAfter = superblockAfter
    }

    /// Nothing would be written.
    package var isEmpty: Bool { change.isEmpty }

    /// Blocks that will be written, the copies in the journal counted too, a replay that comes first not.
    package var blockWriteCount: Int { change.blockCount(of: fileSystem.geometry.blockSize) }

    /// All that is written: the replay of a dirty journal, then the change. What a power cut can leave is said at
    /// `JournalRecovery`, `JournalCommit` and `OrderedCommit`.
    package var writes: OrderedWrites {
        guard !isEmpty else { return change }
        var writes = target.recovery?.writes ?? OrderedWrites()
        writes.add(change)
        return writes
    }

    /// Commits `writes`.
    package func commit() throws(StorageError) {
        guard !isEmpty else { return }
        try fileSystem.state.beginCommit(of: target.generation)
        try writes.commit(to: target.device)
        fileSystem.endCommit(target, superblock: superblockAfter)
    }
}
