package import Storage

/// A JBD2 journal inside its file system: what ext3 and ext4 keep in inode 8.
///
/// `scan` finds out what a replay would do, without writing; `JournalReplay` and `ReplayedDevice` show the file
/// system as after it; `JournalRecovery` does it on the disk; `JournalCommit` writes one atomic change.
package struct Journal: Sendable {
    /// Where its blocks lie.
    package let file: JournalFile
    /// Its superblock, checked.
    package let superblock: JournalSuperblock

    /// Reads and checks the journal's superblock. Nothing else is read.
    package init(_ file: JournalFile) throws(StorageError) {
        guard file.blockCount > 0 else {
            throw .journal(.corrupt, .runsInvalid, "the journal's inode is empty; run e2fsck")
        }
        self.init(
            file: file,
            superblock: try JournalSuperblock(
                file.block(0), blockSize: file.blockSize, fileBlockCount: file.blockCount))
    }

    init(file: JournalFile, superblock: JournalSuperblock) {
        self.file = file
        self.superblock = superblock
    }

    var tagFormat: JournalTagFormat { JournalTagFormat(features: superblock.features) }
    var checksum: JournalChecksum { JournalChecksum(uuid: superblock.uuid) }

    /// The log block `distance` blocks behind `index`, around the ring's end. `index` lies in the log and
    /// `distance` does not exceed the log's length.
    func logBlock(_ index: UInt32, advancedBy distance: UInt32) -> UInt32 {
        let left = superblock.logEnd - index
        return distance < left ? index + distance : superblock.firstLogBlock + (distance - left)
    }
}
