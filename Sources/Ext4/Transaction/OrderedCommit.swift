internal import Storage

/// A change of a volume without a journal (ext2), written in an order that e2fsck -p can finish.
///
/// | phase | writes | a cut after it leaves |
/// |---|---|---|
/// | unclean | superblock without EXT2_VALID_FS | the old volume, to be checked |
/// | unused inodes | records and bitmaps that were never used, emptied; then the descriptors that called them unused | the same |
/// | fresh | blocks that were free | the same |
/// | names | directory blocks with new names, contents written over | names of inodes not there yet, which are dropped; mixed contents |
/// | inodes | inodes, maps, attributes | blocks in use that bitmaps call free, put right from the inodes |
/// | switched names | directory blocks in which a name stands for another inode | names of inodes freed before, which are dropped |
/// | removed names | directory blocks that lost names | the same |
/// | counts | bitmaps, descriptors | the new volume, to be checked |
/// | clean | superblock as it was, with new counts | the new volume |
///
/// Two cases need e2fsck -y: a directory moved to another directory, cut while both names are there; and a new name in a
/// directory block that loses another in the same transaction, cut before that block is written.
/// Old or new as a whole is the undo record's promise, not this one's.
struct OrderedCommit: Sendable {
    var phases: [[DeviceWrite]]
    let superblockAfter: Superblock
    var blockWriteCount: Int

    init(
        before: Superblock, after: Superblock,
        changes: [(block: BlockNumber, dirty: Ext4Transaction.DirtyBlock)],
        fresh: [BlockChange], blockSize: Int
    ) {
        func writes(_ roles: Ext4Transaction.Role...) -> [DeviceWrite] {
            DeviceWrite.merging(
                changes.filter { roles.contains($0.dirty.role) }.map {
                    DeviceWrite(offset: $0.block.rawValue * UInt64(blockSize), bytes: $0.dirty.bytes)
                })
        }
        var unclean = before
        unclean.state &= ~Superblock.State.valid
        unclean.updateChecksum()
        let first = DeviceWrite.merging(
            fresh.map { DeviceWrite(offset: $0.block * UInt64(blockSize), bytes: $0.bytes) })
        let all = [
            [DeviceWrite(offset: Superblock.byteOffset, bytes: unclean.bytes)], first,
            writes(.data, .directory), writes(.inodes, .map, .attributes), writes(.switchedDirectory),
            writes(.shrunkDirectory),
            writes(.bitmap, .descriptors), [DeviceWrite(offset: Superblock.byteOffset, bytes: after.bytes)],
        ]
        phases = all.filter { !$0.isEmpty }
        superblockAfter = after
        blockWriteCount = changes.count + fresh.count + 2
    }

    func write(to device: any WritableBlockDevice) throws(StorageError) {
        for phase in phases {
            for write in phase { try device.write(write.bytes, at: write.offset) }
            try device.flush()
        }
    }
}
