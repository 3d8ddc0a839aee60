package import Storage

/// A change of a volume, checked and laid out.
package final class PreparedExt4Change: PreparedChange {
    enum Layout: Sendable {
        case nothing
        case journaled(JournalCommit)
        case ordered(OrderedCommit)
    }

    private let fileSystem: Ext4FileSystem
    private let target: WriteTarget
    let layout: Layout

    init(_ fileSystem: Ext4FileSystem, _ target: WriteTarget, _ layout: Layout) {
        self.fileSystem = fileSystem
        self.target = target
        self.layout = layout
    }

    /// Nothing would be written.
    package var isEmpty: Bool {
        if case .nothing = layout { return true }
        return false
    }

    /// Blocks that will be written, the copies in the journal counted too.
    package var blockWriteCount: Int {
        switch layout {
        case .nothing: 0
        case .journaled(let commit): commit.blockWriteCount
        case .ordered(let commit): commit.blockWriteCount
        }
    }

    /// Replays a dirty journal, then writes the change. What a power cut can leave is said at `JournalCommit` and
    /// `OrderedCommit`.
    package func commit() throws(StorageError) {
        guard !isEmpty else { return }
        try fileSystem.beginCommit(of: target)
        if let recovery = target.recovery { try recovery.run(on: target.device) }
        switch layout {
        case .nothing: break
        case .journaled(let commit):
            try commit.write(to: target.device)
            fileSystem.endCommit(target, superblock: Superblock(commit.superblockAfter))
        case .ordered(let commit):
            try commit.write(to: target.device)
            fileSystem.endCommit(target, superblock: commit.superblockAfter)
        }
    }
}
