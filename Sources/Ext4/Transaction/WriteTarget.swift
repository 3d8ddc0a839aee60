internal import Storage

/// What a transaction is written to, once it is known that it may be.
struct WriteTarget: Sendable {
    let device: any WritableBlockDevice
    /// The journal, empty or as `recovery` will leave it. Nil on ext2.
    let journal: Journal?
    /// The replay that comes first; nil when the journal is empty.
    let recovery: JournalRecovery?
    /// The superblock as the transaction finds it: after the replay.
    let superblock: Superblock
    /// How many changes were committed before.
    let generation: UInt64
}

extension Ext4FileSystem {
    /// Checks everything that forbids writing to the volume as a whole.
    func writeTarget() throws(StorageError) -> WriteTarget {
        let device = try state.target(on: dirty?.journal.file.device ?? store.device)
        try requireWritableFeatures()
        guard geometry.blockCount * UInt64(geometry.blockSize) <= device.byteCount else {
            throw .ext4(
                .refused, .truncatedDevice, "the file system is longer than its device, so it is not written")
        }
        var superblock = superblock
        guard geometry.compatible.contains(.hasJournal) || !superblock.needsRecovery else {
            throw .ext4(
                .refused, .notClean,
                "the superblock asks for a journal to be replayed, and there is none; run e2fsck -f",
                structure: "superblock", field: "s_feature_incompat")
        }
        var journal: Journal?
        var recovery: JournalRecovery?
        if geometry.compatible.contains(.hasJournal) {
            if let made = try self.recovery() {
                recovery = made
                journal = made.journalAfter
                superblock = Superblock(made.superblockAfter)
            } else {
                journal = try self.journal(on: device)
            }
        }
        try requireCleanState(superblock)
        try requireUnmounted(superblock)
        return WriteTarget(
            device: device, journal: journal, recovery: recovery, superblock: superblock,
            generation: state.generation)
    }

    /// Throws for features that forbid writing to the volume, whatever its state.
    func requireWritableFeatures() throws(StorageError) {
        guard superblock.revision > 0 || superblock.hasNoFeatures else {
            throw .ext4(
                .refused, .unwritableFeature,
                "the file system is of revision 0 and has features, which revision 0 does not know; run e2fsck -f "
                    + "first", structure: "superblock", field: "s_rev_level")
        }
        guard !superblock.isHurd else {
            throw .ext4(.unsupported, .unsupportedFeature, "volumes of GNU Hurd are not written")
        }
        let unknown = geometry.readOnly.subtracting(.known)
        guard unknown.isEmpty else {
            throw .ext4(
                .unsupported, .unsupportedFeature,
                "the file system uses \(unknown.featureNames.joined(separator: ", ")), so it can be read and not "
                    + "written", structure: "superblock", field: "s_feature_ro_compat")
        }
        let refused = geometry.readOnly.intersection(.unwritable)
        guard refused.isEmpty else {
            throw .ext4(
                .refused, .unwritableFeature,
                "the file system uses \(refused.featureNames.joined(separator: ", ")), so it can be read and not "
                    + "written", structure: "superblock", field: "s_feature_ro_compat")
        }
    }

    /// Throws where the kernel has recorded errors: no journal takes these away.
    func requireNoErrors(_ superblock: Superblock) throws(StorageError) {
        guard superblock.state & Superblock.State.errors == 0 else {
            throw .ext4(
                .refused, .errorState,
                "the kernel has recorded errors in the file system; run e2fsck -f first",
                structure: "superblock", field: "s_state")
        }
    }

    private func requireCleanState(_ superblock: Superblock) throws(StorageError) {
        try requireNoErrors(superblock)
        guard superblock.state & Superblock.State.valid != 0,
            superblock.state & Superblock.State.orphans == 0
        else {
            throw .ext4(
                .refused, .notClean,
                "the file system was not unmounted cleanly; start and shut down the guest, or run e2fsck -p",
                structure: "superblock", field: "s_state")
        }
    }

    private func requireUnmounted(_ superblock: Superblock) throws(StorageError) {
        guard geometry.incompatible.contains(.multiMountProtection) else { return }
        let number = BlockNumber(superblock.bytes.little(Superblock.Offset.mmpBlock))
        guard geometry.contains(number) else {
            throw .ext4(
                .corrupt, .multiMount, "the block of multi-mount protection lies outside the volume",
                structure: "superblock", field: "s_mmp_block")
        }
        let block = try block(number)
        // EXT4_MMP_SEQ_CLEAN: nobody has it mounted and no e2fsck is at work.
        guard block.little(0) as UInt32 == 0x004d_4d50, block.little(4) as UInt32 == 0xff4d_4d50 else {
            throw .ext4(
                .refused, .multiMount,
                "multi-mount protection says that the file system is in use; shut the guest down, or clear it "
                    + "with tune2fs -f -E clear_mmp", structure: "MMP block",
                offset: geometry.byteOffset(of: number))
        }
    }
}
