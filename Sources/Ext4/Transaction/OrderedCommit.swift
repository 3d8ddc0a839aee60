internal import Storage

/// A change of a volume without a journal (ext2), written in an order that e2fsck -p can finish.
///
/// | phase | writes | a cut in it leaves |
/// |---|---|---|
/// | unclean | superblock without EXT2_VALID_FS | the old volume, to be checked |
/// | unused inodes | where descriptors say which inodes were never used: records and bitmaps that were never written, emptied | the same |
/// | inodes announced | those descriptors | the same |
/// | freed | the inodes that lose their last name | names of inodes freed, which are dropped |
/// | early | blocks that were free; directory blocks; contents written over | the same; names of inodes not there yet, which are dropped; mixed contents |
/// | inodes | inodes, and maps and attributes in their places | new files and old ones; counts of links, which are put right |
/// | late | directory blocks in which a moved file had its old name | the file with both names |
/// | counts | bitmaps, descriptors | the new volume, to be checked |
/// | clean | superblock as it was, with new counts | the new volume |
///
/// The phases from freed to late are gone through once for each stage. The first of a stage goes together with the last
/// of the one before where it needs nothing of it, and so do the counts: the fewer flushes the better.
///
/// One case needs e2fsck -y: a directory moved to another directory, cut while both names are there.
/// Old or new as a whole is the undo record's promise, not this one's.
struct OrderedCommit: Sendable {
    let writes: OrderedWrites
    let superblockAfter: Superblock

    /// `beforeNames` is what must be there before any name is: `Ext4Transaction.writesBeforeNames`.
    init(
        before: Superblock, after: Superblock, beforeNames: OrderedWrites, stages: [Stages.Stage],
        counts: [BlockNumber: [UInt8]], blockSize: Int
    ) {
        var unclean = before
        unclean.state &= ~Superblock.State.valid
        // What the new inodes need is announced before they are there.
        unclean.insert(after.compatible)
        if after.revision > 0 { unclean.insert(after.readOnly) }
        unclean.updateChecksum()
        var writes = OrderedWrites()
        writes.add("unclean", [.init(offset: Superblock.byteOffset, bytes: unclean.bytes)])
        writes.add(beforeNames)
        for phase in Self.phases(stages, counts) {
            writes.add(phase.names.joined(separator: " and "), Self.writes(of: phase.blocks, blockSize))
        }
        writes.add("clean", [.init(offset: Superblock.byteOffset, bytes: after.bytes)])
        self.writes = writes
        superblockAfter = after
    }

    private typealias Phase = (names: [String], blocks: [BlockNumber: [UInt8]])

    private static func phases(_ stages: [Stages.Stage], _ counts: [BlockNumber: [UInt8]]) -> [Phase] {
        var phases: [Phase] = [([], [:])]
        func join(_ name: String, _ blocks: [BlockNumber: [UInt8]]) {
            phases[phases.count - 1].names.append(name)
            phases[phases.count - 1].blocks.merge(blocks) { _, new in new }
        }
        var endsLate = false
        for stage in stages {
            // What a stage frees needs nothing of the phase before it, and a new name no old one gone.
            let joins = !stage.freed.isEmpty || endsLate
            for (index, phase) in stage.phases.filter({ !$0.blocks.isEmpty }).enumerated() {
                if index > 0 || !joins { phases.append(([], [:])) }
                join(phase.name, phase.blocks)
            }
            endsLate = !stage.late.isEmpty
        }
        join("counts", counts)
        return phases
    }

    /// Blocks in the order of the device.
    static func writes(of blocks: [BlockNumber: [UInt8]], _ blockSize: Int) -> [OrderedWrites.Write] {
        blocks.sorted { $0.key < $1.key }.map {
            OrderedWrites.Write(offset: $0.key.rawValue * UInt64(blockSize), bytes: $0.value)
        }
    }
}
