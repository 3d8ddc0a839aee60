internal import Storage

/// The check of one volume: passes that build on each other.
final class VolumeCheck {
    let view: CheckView
    let limits: XFSFileSystem.CheckLimits
    let sink: CheckSink
    let isReplayed: Bool
    var geometry: Geometry { view.geometry }

    /// Blocks of a group: the first, and the one behind the last.
    struct Piece {
        var start: UInt32
        var end: UInt32
        var isFree = false
    }

    /// Blocks of a group that are used, by what may be shared and what may not.
    struct GroupUse {
        var free: [FreeRecord] = []
        var fixed: [Piece] = []
        var data: [Piece] = []
        var shared: [ReferenceRecord] = []
    }

    var use: [GroupUse]
    private var heldCount = 0
    /// The accounting is not whole, since something could not be read.
    var isPartial = false

    var inodes: InodeLedger
    var unlinked: Set<InodeNumber> = []
    var freeBlockCount: UInt64 = 0
    var inodeCount: UInt64 = 0
    var freeInodeCount: UInt64 = 0

    init(_ view: CheckView, _ sink: CheckSink, isReplayed: Bool, limits: XFSFileSystem.CheckLimits) {
        self.limits = limits
        inodes = InodeLedger(limits)
        self.view = view
        self.sink = sink
        self.isReplayed = isReplayed
        use = Array(repeating: GroupUse(), count: Int(min(view.geometry.groupCount, 1 << 20)))
    }

    func run() throws(StorageError) {
        guard use.count == Int(geometry.groupCount) else {
            throw .memoryBound(
                "xfs", "\(geometry.groupCount) groups are more than are checked; use xfs_repair")
        }
        try claimLog()
        for group in 0..<geometry.groupCount {
            let group = AGNumber(group)
            try Cancellation.check()
            if group.rawValue > 0 { try checkCopy(group) }
            if try sink.attempt({ () throws(StorageError) in try checkGroup(group) }) == nil {
                isPartial = true
            }
        }
        for directory in try inodes.directories() {
            try Cancellation.check()
            try checkDirectory(directory)
        }
        if !isPartial {
            try checkLinks()
            for group in 0..<geometry.groupCount {
                try Cancellation.check()
                try checkUse(AGNumber(group))
            }
            checkCounts()
        }
    }

    /// A copy of the superblock: what describes the volume has to be the same.
    private func checkCopy(_ group: AGNumber) throws(StorageError) {
        let position = geometry.position(ofSector: 0, in: group)
        let copy = Superblock(try view.buffer(at: position, count: geometry.sectorSize))
        let main = view.superblock
        // The kernel sets bits of the versions, quotas' inodes and the stripe in the first one alone.
        let parts = [
            Superblock.Offset.blockSize..<Superblock.Offset.uuid,
            Superblock.Offset.realTimeExtentSize..<Superblock.Offset.version,
            Superblock.Offset.sectorSize..<Superblock.Offset.label,
            Superblock.Offset.blockLog..<Superblock.Offset.inProgress,
            Superblock.Offset.directoryBlockLog..<Superblock.Offset.features2,
        ]
        let isSame =
            copy.bytes.span8.matches(Superblock.magic) && copy.uuid == main.uuid
            && parts.allSatisfy { copy.bytes[$0].elementsEqual(main.bytes[$0]) }
            && copy.hasValidChecksum && copy.isSoundCopy
        if !isSame {
            sink.add(
                .superblockCopy, "the superblock's copy in group \(group.rawValue) is not one of this volume",
                structure: "superblock", offset: position, severity: .warning)
        }
    }

    private func claimLog() throws(StorageError) {
        let first = FSBlock(view.superblock.long(Superblock.Offset.logStart))
        let count = UInt64(view.superblock.word(Superblock.Offset.logBlockCount))
        if first.rawValue != 0, geometry.contains(first, count: count) { try claimFixed(first, count) }
    }

    /// Counts what is held more, before it is. Throws `memoryBound` where that would be more than memory should hold.
    func hold(_ count: Int = 1) throws(StorageError) {
        heldCount += count
        try Cancellation.check(turn: heldCount)
        guard heldCount <= limits.heldPieces else {
            throw .memoryBound(
                "xfs",
                "the volume has more than \(limits.heldPieces) pieces of space, so not all of it was checked; use xfs_repair"
            )
        }
    }

    /// What was held until now and is not any more.
    func release(_ count: Int) { heldCount -= count }

    private func piece(_ first: FSBlock, _ count: UInt64) -> Piece {
        let start = geometry.groupBlock(of: first).rawValue
        // Within the group, as was asked before.
        return Piece(start: start, end: UInt32(clamping: UInt64(start) + count))
    }

    /// Blocks that belong to one thing.
    func claimFixed(_ first: FSBlock, _ count: UInt64) throws(StorageError) {
        try hold()
        use[Int(geometry.group(of: first))].fixed.append(piece(first, count))
    }

    /// Blocks of a file's contents, which may be shared.
    func claimData(_ first: FSBlock, _ count: UInt64) throws(StorageError) {
        try hold()
        use[Int(geometry.group(of: first))].data.append(piece(first, count))
    }

    /// sb_icount, sb_ifree and sb_fdblocks, which count on a clean log.
    private func checkCounts() {
        guard !isReplayed else { return }
        let superblock = view.superblock
        for (name, offset, found) in [
            ("free blocks", Superblock.Offset.freeBlockCount, freeBlockCount),
            ("inodes", Superblock.Offset.inodeCount, inodeCount),
            ("free inodes", Superblock.Offset.freeInodeCount, freeInodeCount),
        ] where superblock.long(offset) != found {
            sink.add(
                .superblockCounts,
                "the superblock counts \(superblock.long(offset)) \(name), and there are \(found)",
                structure: "superblock", offset: UInt64(offset), severity: .warning)
        }
    }
}
