package import Storage

extension XFSTransaction {
    /// sb_qflags: somebody's blocks are counted.
    private static let quotaAccounting: UInt16 = 0x1 | 0x8 | 0x40
    /// The counts are known to be right, until they are counted again.
    private static let quotaChecked: UInt16 = 0x4 | 0x20 | 0x100 | 0x400

    /// Brings the counters into the superblock, lays the record of the log out and checks that it fits. The transaction
    /// takes no further operations.
    package func prepare() throws(StorageError) -> any PreparedChange {
        try gate.close()
        guard !state.buffers.isEmpty || state.superblock.bytes != fileSystem.superblock.bytes else {
            return PreparedXFSChange(fileSystem, target, OrderedWrites(), superblockAfter: superblock)
        }
        try settleSuperblock()
        guard let ring = try logRing(on: target.device) else {
            throw .xfs(.refused, .unwritableFeature, "its log lies on another device")
        }
        let changed = state.buffers.sorted { $0.key < $1.key }
        var buffers: [LogCommit.Buffer] = []
        for (position, buffer) in changed {
            buffers.append(
                LogCommit.Buffer(
                    position: position, bytes: buffer.bytes, type: buffer.type.rawValue,
                    was: try fileSystem.buffer(at: position, count: buffer.bytes.count)))
        }
        let before = fileSystem.superblock
        // Counters are counted anew after a replay, where they are kept in the groups: all else goes through the log.
        if !before.hasLazyCounters || superblock.label != before.label
            || superblock.half(Superblock.Offset.quotaFlags) != before.half(Superblock.Offset.quotaFlags)
            || superblock.half(Superblock.Offset.version) != before.half(Superblock.Offset.version)
        {
            buffers.append(
                LogCommit.Buffer(
                    position: 0, bytes: superblock.bytes, type: BufferType.superblock.rawValue))
        }
        var writes = OrderedWrites()
        let home =
            changed.map { OrderedWrites.Write(offset: $0.key, bytes: $0.value.bytes) }
            + [OrderedWrites.Write(offset: 0, bytes: superblock.bytes)] + (try labelledCopies())
        let commit = try LogCommit(
            ring, target.log, buffers, uuid: geometry.uuid, unit: logUnit,
            transaction: SystemRandom.bytes(4).little(0))
        let data = state.contents.sorted { $0.key < $1.key }
            .map { OrderedWrites.Write(offset: $0.key, bytes: $0.value) }
        writes.add("data", commit.stamps + data, areUnreferenced: true)
        for record in commit.records.dropLast() { writes.add("log begun", record) }
        writes.add("log", commit.records.last ?? [])
        writes.add("home", home)
        writes.add("unmount", commit.unmount)
        return PreparedXFSChange(fileSystem, target, writes, superblockAfter: superblock)
    }

    /// What a record's length is a multiple of.
    private var logUnit: Int {
        let unit = superblock.word(Superblock.Offset.logUnit)
        let sector = superblock.half(Superblock.Offset.logSectorSize)
        return max(Int(unit <= 256 << 10 ? unit : 0), Int(sector), LogRing.blockSize)
    }

    private func settleSuperblock() throws(StorageError) {
        let free = state.superblock.long(Superblock.Offset.freeBlockCount)
        guard let after = Int64(exactly: free).flatMap({ $0 +? state.freeBlockChange }), after >= 0 else {
            throw .xfs(
                .corrupt, .badSuperblock, "the superblock counts too few free blocks; run xfs_repair",
                structure: "superblock", field: "sb_fdblocks",
                offset: UInt64(Superblock.Offset.freeBlockCount))
        }
        state.superblock.bytes.storeBig(UInt64(after), at: Superblock.Offset.freeBlockCount)
        let quota = state.superblock.half(Superblock.Offset.quotaFlags)
        if quota & Self.quotaAccounting != 0 {
            // The next mount counts again.
            state.superblock.bytes.storeBig(quota & ~Self.quotaChecked, at: Superblock.Offset.quotaFlags)
        }
        if geometry.hasChecksums { Checksum.update(&state.superblock.bytes, at: Superblock.Offset.checksum) }
    }

    /// The copies of the superblock with the new label.
    private func labelledCopies() throws(StorageError) -> [OrderedWrites.Write] {
        guard superblock.label != fileSystem.superblock.label else { return [] }
        var writes: [OrderedWrites.Write] = []
        for group in 1..<max(geometry.groupCount, 1) {
            let position = geometry.position(ofSector: 0, in: AGNumber(group))
            var copy = Superblock(try fileSystem.buffer(at: position, count: geometry.sectorSize))
            guard copy.bytes.span8.matches(Superblock.magic), copy.hasValidChecksum else {
                throw .xfs(
                    .corrupt, .badSuperblock,
                    "the superblock's copy in group \(group) is damaged; run xfs_repair",
                    structure: "superblock", offset: position)
            }
            copy.label = superblock.label
            if geometry.hasChecksums { Checksum.update(&copy.bytes, at: Superblock.Offset.checksum) }
            writes.append(OrderedWrites.Write(offset: position, bytes: copy.bytes))
        }
        return writes
    }
}

/// A change of a volume, checked and laid out.
package final class PreparedXFSChange: PreparedChange {
    private let fileSystem: XFSFileSystem
    private let target: WriteTarget
    private let superblockAfter: Superblock
    /// What is written, in order: contents into free blocks; the record, whose last sector is the commit; everything in
    /// its place; the record that makes the log clean.
    package let writes: OrderedWrites

    init(
        _ fileSystem: XFSFileSystem, _ target: WriteTarget, _ writes: OrderedWrites,
        superblockAfter: Superblock
    ) {
        self.fileSystem = fileSystem
        self.target = target
        self.writes = writes
        self.superblockAfter = superblockAfter
    }

    /// Nothing would be written.
    package var isEmpty: Bool { writes.isEmpty }

    /// Blocks that will be written, those of the log counted too.
    package var blockWriteCount: Int { writes.blockCount(of: fileSystem.geometry.blockSize) }

    /// Commits `writes`.
    package func commit() throws(StorageError) {
        guard !isEmpty else { return }
        try fileSystem.state.beginCommit(of: target.generation)
        try writes.commit(to: target.device)
        fileSystem.endCommit(superblock: superblockAfter)
    }
}
