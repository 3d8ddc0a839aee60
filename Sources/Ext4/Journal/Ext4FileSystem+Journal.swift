package import Storage

/// A journal with changes to replay, and what the replay does.
struct DirtyJournal: Sendable {
    let journal: Journal
    let replay: JournalReplay
}

extension VolumeView {
    /// The journal inside the volume, located through its inode.
    ///
    /// - Throws: `unsupported` when it lies on another device; `corrupt` when the inode does not map it whole.
    func journal(on device: any BlockDevice) throws(StorageError) -> Journal {
        guard superblock.journalInode.rawValue != 0 else {
            throw .journal(
                .unsupported, .external,
                "the journal lies on another device; start and shut down the guest, or run e2fsck -p there",
                structure: "superblock", field: "s_journal_inum")
        }
        let inode = try inode(superblock.journalInode)
        let count = inode.size(geometry) / UInt64(geometry.blockSize)
        guard inode.type == .regular, let count = UInt32(exactly: count),
            count <= JournalFile.maximumBlockCount
        else {
            throw .journal(
                .corrupt, .runsInvalid, "\(inode.name) is not a journal; run e2fsck", structure: "inode")
        }
        var runs: [JournalRun] = []
        var next: UInt32 = 0
        while next < count {
            let run = try run(of: inode, at: UInt64(next))
            let length = UInt32(min(run.count, UInt64(count - next)))
            guard case .written(let block) = run.place, length > 0 else {
                throw .journal(
                    .corrupt, .runsInvalid, "the journal has no block \(next); run e2fsck",
                    structure: "inode")
            }
            runs.append(JournalRun(first: next, deviceBlock: block.rawValue, count: length))
            next += length
        }
        return try Journal(
            JournalFile(
                device: device, blockSize: geometry.blockSize, fileSystemBlockCount: geometry.blockCount,
                runs: runs))
    }

    /// Free blocks and inodes, summed over the group descriptors.
    func freeCounts() throws(StorageError) -> JournalRecovery.FreeCounts {
        var clusters: UInt64 = 0
        var inodes: UInt64 = 0
        for group in 0..<geometry.groupCount {
            let descriptor = try descriptor(group)
            clusters += UInt64(descriptor.freeBlockCount)
            inodes += UInt64(descriptor.freeInodeCount)
        }
        guard let blocks = clusters *? geometry.clusterRatio, blocks <= geometry.blockCount,
            inodes <= UInt64(geometry.inodeCount)
        else {
            throw .journal(
                .corrupt, .badFreeCounts,
                "the group descriptors count more free blocks or inodes than there are; run e2fsck",
                structure: "group descriptors")
        }
        return JournalRecovery.FreeCounts(blocks: blocks, inodes: UInt32(inodes))
    }
}

extension Ext4FileSystem {
    /// What the journal of a volume with RECOVER set holds; nil when there is nothing in it to read. `self` shows
    /// the volume without the replay.
    func dirtyJournal() throws(StorageError) -> DirtyJournal? {
        guard geometry.compatible.contains(.hasJournal) else {
            warn("the superblock asks for a journal to be replayed, and there is none; run e2fsck")
            return nil
        }
        let journal = try journal(on: store.device)
        let replay = try journal.scan(policy: options.ignoresChecksums ? .salvage : .strict)
        if case .damaged(let reason) = replay.end {
            warn("the journal was read up to transaction \(replay.nextSequence): \(reason)")
        }
        return DirtyJournal(journal: journal, replay: replay)
    }

    /// How to make the disk what this volume already shows: the replay of its journal. Nil when nothing is to be
    /// replayed. Nothing is written before `JournalRecovery.run`; then open the volume again.
    package func recovery() throws(StorageError) -> JournalRecovery? {
        guard let dirty else { return nil }
        let hasOrphanMark = superblock.readOnly.contains(.orphansPresent)
        let findings = JournalRecovery.Findings(
            free: try freeCounts(), hasNoOrphans: hasOrphanMark ? try orphanFileIsEmpty() : false)
        return try JournalRecovery(dirty.journal, dirty.replay, findings)
    }

    /// The run of the device that holds bytes of a file from `position` on, `count` at most: where the journal
    /// has newer contents, its blocks.
    func currentPlace(of position: UInt64, count: UInt64) throws(StorageError) -> (
        count: UInt64, kind: Extent.Kind
    ) {
        guard let dirty else { return (count, .plain(file: 0, offset: position)) }
        let blockSize = UInt64(geometry.blockSize)
        let block = position / blockSize
        let index = dirty.replay.firstIndex(notBelow: block)
        guard index < dirty.replay.copies.count else { return (count, .plain(file: 0, offset: position)) }
        let copy = dirty.replay.copies[index]
        guard copy.block == block else {
            return (min(count, copy.block * blockSize - position), .plain(file: 0, offset: position))
        }
        let inBlock = min(count, blockSize - position % blockSize)
        guard !copy.isEscaped else { return (inBlock, .computed) }
        let offset = try dirty.journal.file.byteOffset(copy.journalBlock) + position % blockSize
        return (inBlock, .plain(file: 0, offset: offset))
    }
}
