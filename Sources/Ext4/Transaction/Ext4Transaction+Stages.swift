internal import Storage

/// The part of a change without a journal that is laid out already.
///
/// Names and inodes are written in an order in which e2fsck -p has at worst to drop names of inodes that are not in
/// use (`OrderedCommit`). Operations that one order suits make a stage. It ends before an operation that needs
/// something of it on the disk first, and leaves a sound volume. With a journal there is one stage only.
struct Stages: Sendable {
    /// What one stage writes, in the order of writing.
    struct Stage: Sendable {
        /// Blocks of inodes as they were, but for the inodes that lose their last name.
        var freed: [BlockNumber: [UInt8]] = [:]
        /// Blocks that were free, directory blocks, contents written over.
        var early: [BlockNumber: [UInt8]] = [:]
        /// Inodes, attributes, and maps where there was no room for new ones.
        var inodes: [BlockNumber: [UInt8]] = [:]
        /// Directory blocks in which a moved file had its old name.
        var late: [BlockNumber: [UInt8]] = [:]

        var phases: [(name: String, blocks: [BlockNumber: [UInt8]])] {
            [("freed", freed), ("early", early), ("inodes", inodes), ("late", late)]
        }
        var blockCount: Int { phases.reduce(0) { $0 + $1.blocks.count } }
    }

    private(set) var ended: [Stage] = []
    private(set) var blockCount = 0
    /// Blocks as the ended stages leave them.
    private var contents: [BlockNumber: [UInt8]] = [:]
    /// The stage that is open: whether its operations change names, and whether one of them moves one.
    var changesNames = false
    var movesName = false
    /// What its operations made or changed so that not everything can follow in it: directories that are new or
    /// lost a name, files that got another name.
    var newDirectories: Set<InodeNumber> = []
    var shrunkDirectories: Set<InodeNumber> = []
    var linkedFiles: Set<InodeNumber> = []
    /// Its `Stage.freed`.
    var freed: [BlockNumber: [UInt8]] = [:]

    func contents(of number: BlockNumber) -> [UInt8]? { contents.isEmpty ? nil : contents[number] }

    mutating func end(_ stage: Stage) {
        changesNames = false
        movesName = false
        newDirectories = []
        shrunkDirectories = []
        linkedFiles = []
        freed = [:]
        guard stage.blockCount > 0 else { return }
        ended.append(stage)
        blockCount += stage.blockCount
        for phase in stage.phases { contents.merge(phase.blocks) { _, new in new } }
    }
}

extension Ext4Transaction {
    var hasJournal: Bool { target.journal != nil }

    /// A block as it is before the stage that is open.
    func settledBlock(_ number: BlockNumber) throws(StorageError) -> [UInt8] {
        if let held = stages.contents(of: number) { return held }
        return try fileSystem.block(number)
    }

    /// Called by an operation that adds a name to `directory`, before it changes anything.
    func beginAddingName(to directory: InodeNumber) {
        guard !hasJournal else { return }
        // An inode must not be there before the directory that its name is in.
        if stages.movesName || stages.newDirectories.contains(directory) { endStage() }
        stages.changesNames = true
    }

    /// Called once a directory was made.
    func noteNewDirectory(_ directory: InodeNumber) {
        if !hasJournal { stages.newDirectories.insert(directory) }
    }

    /// Called once a file got one more name.
    func noteNewName(of file: InodeNumber) {
        if !hasJournal { stages.linkedFiles.insert(file) }
    }

    /// Called by an operation that removes a name of `inode` from `directory`, before it changes anything.
    func beginRemovingName(of inode: Inode, from directory: InodeNumber) {
        guard !hasJournal else { return }
        // A directory must not go before the inodes of its names, nor a name before the one that stays.
        if stages.movesName || stages.shrunkDirectories.contains(inode.number)
            || stages.linkedFiles.contains(inode.number)
        {
            endStage()
        }
        stages.changesNames = true
        stages.shrunkDirectories.insert(directory)
    }

    /// Called by an operation that moves a name, before it changes anything: it is a stage of its own.
    func beginMovingName() {
        guard !hasJournal else { return }
        if stages.changesNames { endStage() }
        stages.changesNames = true
        stages.movesName = true
    }

    /// Called when an inode was given back: in its block as it is before the stage, too.
    func noteFreed(_ inode: Inode) throws(StorageError) {
        guard !hasJournal else { return }
        let record = try block(inode.block)[inode.offset..<inode.offset + inode.bytes.count]
        var bytes: [UInt8]
        if let held = stages.freed[inode.block] {
            bytes = held
        } else {
            bytes = try settledBlock(inode.block)
        }
        bytes.replaceSubrange(inode.offset..<inode.offset + inode.bytes.count, with: record)
        stages.freed[inode.block] = bytes
    }

    /// Lays out what was changed since the last stage. Bitmaps and counts wait for the end of the change: e2fsck -p
    /// makes them anew.
    func endStage() {
        guard !hasJournal else { return }
        var stage = Stages.Stage(freed: stages.freed)
        for (number, block) in dirty {
            if fresh.contains(number) {
                stage.early[number] = block.bytes
                continue
            }
            switch block.role {
            case .data, .directory: stage.early[number] = block.bytes
            case .inodes, .map, .attributes: stage.inodes[number] = block.bytes
            case .oldName: stage.late[number] = block.bytes
            case .bitmap, .descriptors: continue
            }
        }
        dirty = dirty.filter { !fresh.contains($0.key) && $0.value.role >= .bitmap }
        fresh = []
        for group in blockBitmaps.keys { blockBitmaps[group]?.holdWhatIsInUse() }
        for group in inodeBitmaps.keys { inodeBitmaps[group]?.holdWhatIsInUse() }
        stages.end(stage)
    }
}
