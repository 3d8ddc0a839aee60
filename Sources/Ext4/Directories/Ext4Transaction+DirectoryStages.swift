internal import Storage

/// What changes more than one block of a directory, on a volume without a journal: copies of the blocks are written,
/// and the directory's inode, which is written at once, leads to the old blocks or to the copies.
extension Ext4Transaction {
    /// Makes room for a name that is to be added, as a stage of its own. With a journal `insert` does it.
    func makeRoom(for name: [UInt8], in directory: inout Inode) throws(StorageError) {
        guard !hasJournal else { return }
        try settleInlineDirectory(&directory)
        for _ in 0..<Self.turnsOfMakingRoom {
            guard try room(for: name, .root, typeCode: 0, in: directory) == nil else { return }
            endStage()
            try extend(&directory, for: name)
            try copyChangedBlocks(of: &directory)
            try store(directory)
            endStage()
        }
    }

    /// Moves a directory out of its inode, as a stage of its own. With a journal every change of its names does it.
    func settleInlineDirectory(_ directory: inout Inode) throws(StorageError) {
        guard !hasJournal, directory.flags.contains(.inlineData) else { return }
        endStage()
        try leaveInlineDirectory(&directory)
        try store(directory)
        endStage()
    }

    /// Begins the stage of a rename. A directory that replaces another does so in two: for e2fsck -p a directory must
    /// not have two names, not even for a moment.
    func prepareStage(
        moving moved: Inode, from source: Inode, to name: [UInt8], in target: Inode,
        replacing replaced: inout Inode?
    ) throws(StorageError) {
        guard !hasJournal else { return }
        var (source, target) = (source, target)
        try settleInlineDirectory(&source)
        try settleInlineDirectory(&target)
        if moved.type == .directory, replaced != nil {
            try remove(name, in: FileID(UInt64(target.number.rawValue)))
            target = try inode(target.number)
            replaced = nil
        }
        if replaced == nil { try makeRoom(for: name, in: &target) }
        beginMovingName()
    }

    /// Ends a stage in which a directory changed its name within another, so that it never has two or none.
    func switchBlocksAtOnce(of number: InodeNumber) throws(StorageError) {
        guard !hasJournal else { return }
        var directory = try inode(number)
        try copyChangedBlocks(of: &directory)
        try store(directory)
    }

    /// Puts what the open stage changes of a directory into copies of the blocks; one changed block stays in its
    /// place.
    private func copyChangedBlocks(of directory: inout Inode) throws(StorageError) {
        let before = try map(of: directory)
        let changed = before.runs.flatMap { run in
            run.firstBlock.map { first in (0..<run.count).map(first.advanced) } ?? []
        }.filter { dirty[$0] != nil && !fresh.contains($0) }
        guard changed.count > 1 || changed.count == 1 && !fresh.isEmpty else { return }
        var copies: [BlockNumber: BlockNumber] = [:]
        for number in changed {
            guard let held = dirty[number] else { continue }
            let copy = try allocateBlock(near: number)
            try store(held.bytes, at: copy, role: .directory)
            copies[number] = copy
            try free(Range(number, count: 1))
        }
        var after = FileMap(runs: [], treeBlocks: before.treeBlocks)
        for run in before.runs {
            guard case .written(let first) = run.place else {
                after.append(run)
                continue
            }
            for index in 0..<run.count {
                let number = first.advanced(by: index)
                after.append(
                    MappedRun(
                        logical: run.logical + index, count: 1, place: .written(copies[number] ?? number)))
            }
        }
        try store(after, replacing: before, in: &directory)
    }
}
