internal import Storage

/// A change of a volume without a journal (ext2), written in an order that e2fsck -p can finish.
///
/// | phase | writes | a cut in it leaves |
/// |---|---|---|
/// | unclean | superblock without EXT2_VALID_FS | the old volume, to be checked |
/// | unused inodes | where descriptors say which inodes were never used: records and bitmaps that were never written, emptied; then those descriptors | the same |
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
    var phases: [[DeviceWrite]]
    let superblockAfter: Superblock
    var blockWriteCount: Int

    init(
        before: Superblock, after: Superblock, stages: [Stages.Stage], counts: [BlockNumber: [UInt8]],
        blockSize: Int
    ) {
        var unclean = before
        unclean.state &= ~Superblock.State.valid
        // What the new inodes need is announced before they are there.
        unclean.insert(after.compatible)
        if after.revision > 0 { unclean.insert(after.readOnly) }
        unclean.updateChecksum()
        var phases: [[BlockNumber: [UInt8]]] = [[:]]
        var endsLate = false
        for stage in stages {
            // What a stage frees needs nothing of the phase before it, and a new name no old one gone.
            let joins = !stage.freed.isEmpty || endsLate
            for (index, phase) in stage.phases.filter({ !$0.isEmpty }).enumerated() {
                if index == 0, joins {
                    phases[phases.count - 1].merge(phase) { _, new in new }
                } else {
                    phases.append(phase)
                }
            }
            endsLate = !stage.late.isEmpty
        }
        phases[phases.count - 1].merge(counts) { _, new in new }
        let laidOut = phases.filter { !$0.isEmpty }.map { phase in
            DeviceWrite.merging(
                phase.sorted { $0.key < $1.key }.map {
                    DeviceWrite(offset: $0.key.rawValue * UInt64(blockSize), bytes: $0.value)
                })
        }
        self.phases =
            [[DeviceWrite(offset: Superblock.byteOffset, bytes: unclean.bytes)]] + laidOut
            + [[DeviceWrite(offset: Superblock.byteOffset, bytes: after.bytes)]]
        superblockAfter = after
        blockWriteCount = phases.reduce(2) { $0 + $1.count }
    }

    func write(to device: any WritableBlockDevice) throws(StorageError) {
        for phase in phases {
            for write in phase { try device.write(write.bytes, at: write.offset) }
            try device.flush()
        }
    }
}
