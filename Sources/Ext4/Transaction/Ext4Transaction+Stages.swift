internal import Storage

/// The part of a change without a journal that is laid out already.
///
/// The order of one stage (`OrderedCommit`) suits operations that add names, or such that remove them, and not both: a
/// name has to be there before its inode, and must go after it. So a stage ends before an operation that the order
/// of the stage does not suit, and each stage leaves a sound volume. With a journal there is one stage only.
struct Stages: Sendable {
    /// What one stage writes, in the order of writing.
    struct Stage: Sendable {
        /// Blocks that were free, blocks with new names, contents written over.
        var early: [BlockNumber: [UInt8]] = [:]
        /// Inodes, attributes, and maps where there was no room for new ones.
        var inodes: [BlockNumber: [UInt8]] = [:]
        /// Directory blocks in which a name stands for another inode.
        var switched: [BlockNumber: [UInt8]] = [:]
        /// Directory blocks that lost a name.
        var late: [BlockNumber: [UInt8]] = [:]

        var blockCount: Int { early.count + inodes.count + switched.count + late.count }
    }

    private(set) var ended: [Stage] = []
    private(set) var blockCount = 0
    /// Blocks as the ended stages leave them.
    private var contents: [BlockNumber: [UInt8]] = [:]
    /// What the operations of the stage that is open do.
    var addsNames = false
    var removesNames = false
    /// Directories that were made, or lost a name, in the stage that is open.
    var changedDirectories: Set<InodeNumber> = []

    func contents(of number: BlockNumber) -> [UInt8]? { contents.isEmpty ? nil : contents[number] }

    mutating func end(_ stage: Stage) {
        addsNames = false
        removesNames = false
        changedDirectories = []
        guard stage.blockCount > 0 else { return }
        ended.append(stage)
        blockCount += stage.blockCount
        for part in [stage.early, stage.inodes, stage.switched, stage.late] {
            contents.merge(part) { _, new in new }
        }
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
        // A directory that is not there yet cannot hold the name of an inode.
        if stages.removesNames || stages.changedDirectories.contains(directory) { endStage() }
        stages.addsNames = true
    }

    /// Called once a directory was made.
    func noteNewDirectory(_ directory: InodeNumber) {
        if !hasJournal { stages.changedDirectories.insert(directory) }
    }

    /// Called by an operation that removes the name of `inode` from `directory`, before it changes anything.
    func beginRemovingName(of inode: InodeNumber, from directory: InodeNumber) {
        guard !hasJournal else { return }
        // A directory must not go before those that had names in it.
        if stages.addsNames || stages.changedDirectories.contains(inode) { endStage() }
        stages.removesNames = true
        stages.changedDirectories.insert(directory)
    }

    /// Called by an operation that moves a name, before it changes anything.
    func beginMovingName() {
        guard !hasJournal else { return }
        if stages.addsNames || stages.removesNames { endStage() }
        stages.addsNames = true
        stages.removesNames = true
    }

    /// Lays out what was changed since the last stage. Bitmaps and counts wait for the end of the change: e2fsck -p
    /// makes them anew.
    func endStage() {
        guard !hasJournal else { return }
        var stage = Stages.Stage()
        for (number, block) in dirty {
            if fresh.contains(number) {
                stage.early[number] = block.bytes
                continue
            }
            switch block.role {
            case .data, .directory: stage.early[number] = block.bytes
            case .inodes, .map, .attributes: stage.inodes[number] = block.bytes
            case .switchedDirectory: stage.switched[number] = block.bytes
            case .shrunkDirectory: stage.late[number] = block.bytes
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
