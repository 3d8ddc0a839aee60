package import Storage

/// Replays a dirty journal onto its device. Made without writing anything; committing `writes` writes.
///
/// | phase | writes |
/// |---|---|
/// | `replay` | blocks at their places, RECOVER still set in the superblock |
/// | `replay checkpoint` | the journal superblock says empty |
/// | `replay clean` | free counts right, RECOVER clear |
///
/// Cut anywhere, it can be run again, by this engine, e2fsck or the kernel.
package struct JournalRecovery: Sendable {
    /// Free blocks and inodes, summed over the group descriptors as they are after the replay: the superblock's
    /// own numbers are not kept up to date while a file system is mounted.
    package struct FreeCounts: Equatable, Sendable {
        /// Blocks, not clusters.
        package var blocks: UInt64
        /// Inodes.
        package var inodes: UInt32

        /// Makes counts.
        package init(blocks: UInt64, inodes: UInt32) {
            self.blocks = blocks
            self.inodes = inodes
        }
    }

    /// What an unmount would note in the superblock besides, found out from the volume as after the replay.
    package struct Findings: Equatable, Sendable {
        /// The free blocks and inodes.
        package var free: FreeCounts
        /// The orphan file lists nothing, so ORPHAN_PRESENT can go. A list that is not empty stays for the kernel.
        package var hasNoOrphans: Bool

        /// Makes findings.
        package init(free: FreeCounts, hasNoOrphans: Bool) {
            self.free = free
            self.hasNoOrphans = hasNoOrphans
        }
    }

    /// What is replayed.
    package let replay: JournalReplay
    /// The journal as the replay leaves it: empty.
    package let journalAfter: Journal
    /// The primary superblock as the replay leaves it.
    package let superblockAfter: [UInt8]
    /// The phases above. Logged blocks are read from the log when they are written.
    package let writes: OrderedWrites

    /// Plans the replay of `journal`, whose `replay` has been scanned strictly.
    ///
    /// - Throws: `unsupported` for fast commits, which are not replayed onto a disk; `refused` when the device is
    ///   too short; the damage with which the scan ended.
    package init(
        _ journal: Journal, _ replay: JournalReplay, _ findings: Findings
    ) throws(StorageError) {
        guard replay.fastCommits == nil else {
            throw .journal(
                .unsupported, .fastCommitRecords,
                "the journal ends in fast commits, which only the kernel and e2fsck can replay; start and shut down the guest, or run e2fsck -p"
            )
        }
        if case .damaged(let reason) = replay.end { throw reason }
        try journal.file.requireWholeDevice()
        let journalOffset = try journal.file.byteOffset(0)
        let device = ReplayedDevice(journal.file, replay)
        guard var superblock = try Superblock.read(from: device) else {
            throw .journal(
                .corrupt, .notASuperblock,
                "the journal holds a copy of the superblock that is none; run e2fsck")
        }
        superblock.freeBlockCount = findings.free.blocks
        superblock.freeInodeCount = findings.free.inodes
        if findings.hasNoOrphans { superblock.clearOrphanPresent() }
        // What stopped the kernel is kept in the journal until the superblock says it.
        if journal.superblock.errorNumber != 0 { superblock.state |= Superblock.State.errors }
        let during = superblock.settingNeedsRecovery(true).bytes
        superblockAfter = superblock.settingNeedsRecovery(false).bytes
        var empty = journal.superblock
        // One number is left out: the log may end in a transaction without commit block that has it.
        empty.setLog(
            start: 0,
            sequence: journal.superblock.isEmpty ? replay.nextSequence : replay.nextSequence &+ 1)
        empty.clearError()
        journalAfter = Journal(file: journal.file, superblock: empty)
        self.replay = replay

        var writes = OrderedWrites()
        // The superblock also where the log holds no copy of it: an error the kernel met must be on the disk before
        // the journal forgets it.
        writes.add(
            "replay",
            Self.homeWrites(journal.file, replay, superblock: during)
                + [.init(offset: Superblock.byteOffset, bytes: during)])
        writes.add("replay checkpoint", [.init(offset: journalOffset, bytes: empty.bytes)])
        writes.add("replay clean", [.init(offset: Superblock.byteOffset, bytes: superblockAfter)])
        self.writes = writes
    }

    /// The logged blocks at their places, `superblock` in the one that holds it.
    private static func homeWrites(
        _ file: JournalFile, _ replay: JournalReplay, superblock: [UInt8]
    ) -> [OrderedWrites.Write] {
        let source = LoggedBlocks(file: file, replay: replay, superblock: superblock)
        return replay.copies.indices.map { index in
            OrderedWrites.Write(
                offset: replay.copies[index].block * UInt64(file.blockSize), byteCount: file.blockSize,
                item: index, of: source)
        }
    }

    /// The contents of a replay's copies, by index.
    private struct LoggedBlocks: OrderedWrites.Source {
        let file: JournalFile
        let replay: JournalReplay
        let superblock: [UInt8]

        func fetch(_ item: Int, into target: inout MutableRawSpan) throws(StorageError) {
            let copy = replay.copies[item]
            let contents = try replay.contents(of: copy, in: file)
            target.copy(contents.span8, to: 0)
            let place = Superblock.place(blockSize: file.blockSize)
            if copy.block == place.block { target.copy(superblock.span8, to: place.offset) }
        }
    }
}
