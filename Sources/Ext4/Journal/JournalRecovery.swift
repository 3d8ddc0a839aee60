package import Storage

/// Replays a dirty journal onto its device. Made without writing anything; `run` writes.
///
/// Order: blocks home (RECOVER stays set in the superblock), flush, journal superblock empty, flush, free counts
/// right and RECOVER clear, flush. Cut anywhere, it can be run again, by this engine, e2fsck or the kernel.
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
    private let journal: Journal
    /// While the replay is under way: as afterwards, with RECOVER set.
    private let superblockDuring: Superblock

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
        superblockDuring = superblock.settingNeedsRecovery(true)
        superblockAfter = superblock.settingNeedsRecovery(false).bytes
        var empty = journal.superblock
        // One number is left out: the log may end in a transaction without commit block that has it.
        empty.setLog(
            start: 0,
            sequence: journal.superblock.isEmpty ? replay.nextSequence : replay.nextSequence &+ 1)
        empty.clearError()
        journalAfter = Journal(file: journal.file, superblock: empty)
        self.journal = journal
        self.replay = replay
    }

    /// Replays onto the device that the journal lies on.
    package func run(on device: any WritableBlockDevice) throws(StorageError) {
        try writeHome(to: device)
        // Also where the log holds no copy of it: an error the kernel met must be on the disk before the
        // journal forgets it.
        try device.write(superblockDuring.bytes, at: Superblock.byteOffset)
        try device.flush()
        try device.write(journalAfter.superblock.bytes, at: journal.file.byteOffset(0))
        try device.flush()
        try device.write(superblockAfter, at: Superblock.byteOffset)
        try device.flush()
    }

    /// The logged blocks at their places; neighbours in one write.
    private func writeHome(to device: any WritableBlockDevice) throws(StorageError) {
        let blockSize = journal.file.blockSize
        let place = Superblock.place(blockSize: blockSize)
        var run = DeviceWrite(offset: 0, bytes: [])
        for copy in replay.copies {
            var contents = try replay.contents(of: copy, in: journal.file)
            if copy.block == place.block {
                contents.replaceSubrange(
                    place.offset..<place.offset + Superblock.byteCount, with: superblockDuring.bytes)
            }
            let offset = copy.block * UInt64(blockSize)
            if run.offset + UInt64(run.bytes.count) == offset, run.bytes.count < DeviceWrite.maximumByteCount
            {
                run.bytes += contents
            } else {
                if !run.bytes.isEmpty { try device.write(run.bytes, at: run.offset) }
                run = DeviceWrite(offset: offset, bytes: contents)
            }
        }
        if !run.bytes.isEmpty { try device.write(run.bytes, at: run.offset) }
    }
}
