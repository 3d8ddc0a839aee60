package import Storage

extension Ext4Transaction {
    /// Brings counts, bitmaps and superblock into the change, lays its writes out and checks that they fit the
    /// journal. The transaction takes no further operations.
    package func prepare() throws(StorageError) -> any PreparedChange {
        try gate.close()
        try storeBitmaps()
        guard !dirty.isEmpty || stages.blockCount > 0 || superblock.bytes != target.superblock.bytes else {
            return PreparedExt4Change(fileSystem, target, OrderedWrites(), superblockAfter: target.superblock)
        }
        superblock.setWriteTime(now)
        superblock.updateChecksum()
        guard let journal = target.journal else {
            endStage()
            let commit = OrderedCommit(
                before: target.superblock, after: superblock, beforeNames: try writesBeforeNames(),
                stages: stages.ended, counts: dirty.mapValues(\.bytes), blockSize: geometry.blockSize)
            return PreparedExt4Change(
                fileSystem, target, commit.writes, superblockAfter: commit.superblockAfter)
        }
        let blocks = dirty.sorted { $0.key < $1.key }
        let newData = blocks.filter { fresh.contains($0.key) }
            .map { BlockChange(block: $0.key.rawValue, bytes: $0.value.bytes) }
        let changed = blocks.filter { !fresh.contains($0.key) }
        var changes = changed.map { BlockChange(block: $0.key.rawValue, bytes: $0.value.bytes) }
        try insertSuperblock(into: &changes)
        let commit = try JournalCommit(
            journal, superblock: target.superblock.bytes, changes: changes, newData: newData,
            seconds: UInt64(clamping: now.seconds))
        return PreparedExt4Change(
            fileSystem, target, commit.writes, superblockAfter: Superblock(commit.superblockAfter))
    }

    /// The superblock goes through the journal with the whole block that holds it.
    private func insertSuperblock(into changes: inout [BlockChange]) throws(StorageError) {
        let place = Superblock.place(blockSize: geometry.blockSize)
        var bytes = try block(BlockNumber(place.block))
        bytes.replaceSubrange(place.offset..<place.offset + Superblock.byteCount, with: superblock.bytes)
        changes.removeAll { $0.block == place.block }
        let index = changes.firstIndex { $0.block > place.block } ?? changes.count
        changes.insert(BlockChange(block: place.block, bytes: bytes), at: index)
    }
}
