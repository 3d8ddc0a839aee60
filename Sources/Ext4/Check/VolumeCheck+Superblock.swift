internal import Storage

extension VolumeCheck {
    /// Fields of the superblock that the reader does not rely on.
    func checkSuperblock() {
        let superblock = view.superblock
        func bad(_ field: Int, _ message: String, _ severity: Severity = .damage) {
            sink.add(
                .superblockField, message, structure: "superblock",
                offset: Superblock.byteOffset + UInt64(field), severity: severity)
        }
        if !superblock.hasValidChecksum {
            sink.add(.wrongChecksum)
        }
        if superblock.state & Superblock.State.errors != 0 {
            sink.add(
                Finding(
                    .damage, Ext4Code.errorState, "the kernel noted errors in this file system",
                    structure: "superblock",
                    offset: Superblock.byteOffset + UInt64(Superblock.Offset.state)))
        }
        if superblock.revision > 0, superblock.uuid.allSatisfy({ $0 == 0 }) {
            bad(Superblock.Offset.uuid, "the file system has no UUID")
        }
        if superblock.word(Superblock.Offset.creator) == 1, geometry.incompatible.contains(.fileType) {
            bad(Superblock.Offset.creator, "made for the Hurd, which does not support filetype")
        }
        if geometry.incompatible.contains(.metaBlockGroups),
            geometry.firstMetaBlockGroup > geometry.descriptorBlockCount
        {
            bad(Superblock.Offset.firstMetaBlockGroup, "s_first_meta_bg is past the last group")
        }
        if geometry.inodeSize > 128 {
            for field in [0x15c, Superblock.Offset.wantExtraSize] {
                let size = Int(superblock.half(field))
                if size != 0, size < 4 || size > geometry.inodeSize - 128 || size % 4 != 0 {
                    bad(field, "inodes are to have \(size) extra bytes, which they cannot have")
                }
            }
        }
    }

    /// Whether superblock and journal tell the same.
    func checkJournalState(_ journal: Journal?) {
        let superblock = view.superblock
        func bad(_ message: String, _ severity: Severity = .damage) {
            sink.add(.journalState, message, structure: "journal", severity: severity)
        }
        guard superblock.compatible.contains(.hasJournal) else {
            if superblock.needsRecovery { bad("a journal is to be replayed and there is none") }
            if superblock.revision > 0, superblock.journalInode.rawValue != 0 {
                bad("a journal's inode is named and there is no journal")
            }
            return
        }
        guard let journal else { return }
        if journal.superblock.errorNumber != 0 {
            bad("the kernel noted error \(journal.superblock.errorNumber) in the journal")
        }
        if !superblock.needsRecovery, !journal.superblock.isEmpty {
            bad("the journal has changes to replay and the superblock denies it")
        }
        checkJournalBackup()
    }

    /// `s_jnl_blocks`: the map and size of the journal's inode, kept in the superblock.
    private func checkJournalBackup() {
        let superblock = view.superblock
        guard superblock.journalInode.rawValue != 0,
            let inode = try? view.inode(superblock.journalInode)
        else { return }
        let kind = superblock.bytes[0xfd]
        let map = superblock.bytes[0x10c..<0x10c + 60]
        guard kind != 1 || !map.elementsEqual(inode.bytes[Inode.mapRange]) else { return }
        sink.add(
            .journalState, "the superblock's copy of the journal's map is missing or old",
            structure: "superblock", offset: Superblock.byteOffset + 0x10c, severity: .note)
    }

    /// The list of orphans that starts at s_last_orphan and goes on in i_dtime, and the orphan file.
    func collectOrphans() throws(StorageError) {
        var next = view.superblock.word(Superblock.Offset.lastOrphan)
        while next != 0 {
            guard next >= geometry.firstInode, next <= geometry.inodeCount, !orphans.contains(next) else {
                sink.add(
                    .badOrphan, "the list of orphans leads to inode \(next)", structure: "superblock",
                    offset: Superblock.byteOffset + UInt64(Superblock.Offset.lastOrphan))
                break
            }
            orphans.insert(next)
            let number = InodeNumber(next)
            guard
                let inode = try sink.attempt(
                    inode: next, { () throws(StorageError) in try view.inode(number) })
            else { break }
            guard inode.mode != 0 else {
                sink.add(
                    .badOrphan, "the list of orphans leads to inode \(next), which is not in use",
                    structure: "inode", offset: offset(of: inode), inode: next)
                break
            }
            next = inode.word(Inode.Offset.deletionTime)
        }
        try collectOrphansInFile()
        if !orphans.isEmpty {
            sink.add(
                .orphans, "\(orphans.count) deleted or truncated files wait for the next mount",
                structure: "superblock", severity: .note)
        }
    }

    /// The orphan file: whole, with right checksums, and with entries exactly when the superblock says so. While the
    /// volume is mounted the superblock says so beforehand.
    private func collectOrphansInFile() throws(StorageError) {
        guard geometry.compatible.contains(.orphanFile) else { return }
        let isPresent = view.superblock.readOnly.contains(.orphansPresent)
        let number = view.superblock.word(Superblock.Offset.orphanFile)
        func bad(_ message: String) {
            sink.add(
                .badOrphan, message, structure: "superblock",
                offset: Superblock.byteOffset + UInt64(Superblock.Offset.orphanFile), inode: number)
        }
        let read = try sink.attempt(inode: number) { () throws(StorageError) in try view.orphansInFile() }
        guard let read else { return }
        guard let listed = read else { return bad("the orphan file (inode \(number)) is not one") }
        if listed.isEmpty, isPresent, !view.superblock.needsRecovery {
            bad("the superblock says that the orphan file lists something, and it is empty")
        }
        if !listed.isEmpty, !isPresent {
            bad("the orphan file lists \(listed.count) inodes, and the superblock denies it")
        }
        for orphan in listed {
            guard orphan >= geometry.firstInode, orphan <= geometry.inodeCount else {
                bad("the orphan file lists inode \(orphan)")
                continue
            }
            orphans.insert(orphan)
        }
    }
}

extension Finding {
    /// The superblock does not have the checksum that it says.
    static var wrongChecksum: Finding {
        Finding(
            .damage, Ext4Code.superblockChecksum, "the superblock's checksum is wrong",
            structure: "superblock",
            offset: Superblock.byteOffset + UInt64(Superblock.Offset.checksum))
    }
}
