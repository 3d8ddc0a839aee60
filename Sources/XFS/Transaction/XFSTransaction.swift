package import Storage

/// A change of a volume, collected in memory: structures as they will be, over the volume as it is. Reading through it
/// shows the change.
package final class XFSTransaction: ContentsTransaction, RangesTransaction, HolesTransaction,
    NamesTransaction,
    LinksTransaction, NodesTransaction, AttributesTransaction, ExtendedAttributesTransaction,
    LabelTransaction,
    VolumeView
{
    /// What a changed buffer is, for the kernel that replays it (enum xfs_blft).
    enum BufferType: UInt16, Sendable {
        case tree = 4
        case freeSpace = 5
        case freeList = 6
        case inodesHeader = 7
        case inodes = 8
        case symbolicLink = 9
        case directoryBlock = 10
        case directoryData = 11
        case directoryFreeSpace = 12
        case directoryLeaf = 13
        case directoryTreeLeaf = 14
        case hashNode = 15
        case attributeLeaf = 16
        case superblock = 18
    }

    struct Changed: Sendable {
        var bytes: [UInt8]
        var type: BufferType
    }

    /// All that an operation changes: taken back as a whole when it is refused.
    struct State: Sendable {
        var superblock: Superblock
        /// By their places on the device.
        var buffers: [UInt64: Changed] = [:]
        /// Contents for blocks that were free, by their places.
        var contents: [UInt64: [UInt8]] = [:]
        /// Blocks given back: their old contents count until the commit, so nothing new goes there.
        var freed: [AGNumber: [Range<UInt32>]] = [:]
        /// Blocks given back (positive) or taken.
        var freeBlockChange: Int64 = 0
    }

    let fileSystem: XFSFileSystem
    let target: WriteTarget
    let geometry: Geometry
    /// The time of the change.
    let now: Timestamp
    var state: State
    var gate = TransactionGate(layer: XFSCode.layer)

    init(_ fileSystem: XFSFileSystem, _ target: WriteTarget, now: Timestamp) {
        self.fileSystem = fileSystem
        self.target = target
        self.now = now
        geometry = fileSystem.geometry
        state = State(superblock: fileSystem.superblock)
    }

    /// What is to be logged fills much of a record.
    package var shouldBeCommitted: Bool {
        let limit = superblock.versionBits.contains(.logVersion2) ? 160 << 10 : 12 << 10
        var logged = 0
        for (position, buffer) in state.buffers {
            guard let old = try? fileSystem.buffer(at: position, count: buffer.bytes.count) else { continue }
            let runs = LogCommit.Buffer.runs(buffer.bytes, old)
            logged += runs.reduce(64) { $0 + $1.count * LoggedBuffer.chunk + 12 }
            if logged > limit { return true }
        }
        return state.contents.values.reduce(0, { $0 + $1.count }) > Self.contentsLimit / 4
    }

    // MARK: VolumeView

    /// XFS.
    package var kind: VolumeIdentity.Kind { .xfs }

    var superblock: Superblock { state.superblock }

    func buffer(at position: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        if let held = state.buffers[position] {
            guard held.bytes.count == count else {
                throw .xfs(
                    .corrupt, .blockOutOfRange, "two structures lie in one place; run xfs_repair",
                    offset: position)
            }
            return held.bytes
        }
        // Values of attributes are written as contents are.
        if let held = state.contents[position], held.count == count { return held }
        return try fileSystem.buffer(at: position, count: count)
    }

    func readData(into target: inout MutableRawSpan, at position: UInt64) throws(StorageError) {
        try fileSystem.readData(into: &target, at: position)
        let end = position + UInt64(target.byteCount)
        for (start, bytes) in state.contents {
            let from = max(start, position)
            let to = min(start + UInt64(bytes.count), end)
            guard from < to else { continue }
            target.copy(
                bytes.span8.extracting(Int(from - start)..<Int(to - start)), to: Int(from - position))
        }
    }

    func checksumFailure(
        _ code: XFSCode, _ message: String, structure: String, offset: UInt64
    ) throws(StorageError) {
        // Never passed over when writing: a change must not give a damaged block a valid checksum.
        throw .xfs(.corrupt, code, message, structure: structure, offset: offset)
    }

    // MARK: Changing

    /// Gives a structure new contents, and the checksum that goes with them.
    func store(_ bytes: [UInt8], at position: UInt64, _ type: BufferType) {
        var bytes = bytes
        if geometry.hasChecksums, type != .inodes, let kind = BufferKind(bytes, geometry) {
            Checksum.update(&bytes, at: kind.checksum)
        }
        state.buffers[position] = Changed(bytes: bytes, type: type)
    }

    /// An inode to be changed: one that the kernel takes.
    func inode(_ number: InodeNumber) throws(StorageError) -> Inode {
        let inode = try usedInode(number)
        if let field = inode.refusedFields(geometry).first {
            throw .xfs(
                .corrupt, .badInode,
                "\(inode.name) has a value in \(field) with which no kernel takes it; run xfs_repair",
                structure: "inode", field: field, offset: inode.position)
        }
        return inode
    }

    /// The inode of a file to be changed.
    func inode(_ file: FileID) throws(StorageError) -> Inode { try inode(InodeNumber(file.rawValue)) }

    /// Writes an inode into its block, with its checksum.
    func store(_ inode: Inode) throws(StorageError) {
        var inode = inode
        if inode.version == 3 { Checksum.update(&inode.bytes, at: Inode.Offset.checksum) }
        let number = geometry.block(of: inode.number)
        var bytes = try block(number)
        let start = geometry.offset(of: inode.number)
        bytes.replaceSubrange(start..<start + inode.bytes.count, with: inode.bytes)
        store(bytes, at: geometry.position(of: number), .inodes)
    }

    /// Runs an operation; one that is refused leaves no trace.
    func perform<Result>(_ operation: () throws(StorageError) -> Result) throws(StorageError) -> Result {
        try gate.requireOpen()
        let before = state
        do throws(StorageError) {
            return try operation()
        } catch {
            state = before
            throw error
        }
    }

    /// Times and the count of changes that go with a change of contents, or of attributes alone.
    func touch(_ inode: inout Inode, contents: Bool) {
        if contents { inode.setTime(now, at: Inode.Offset.modificationTime) }
        inode.setTime(now, at: Inode.Offset.changeTime)
        if inode.version == 3 {
            let count: UInt64 = inode.bytes.big(Inode.Offset.changeCount)
            inode.bytes.storeBig(count &+ 1, at: Inode.Offset.changeCount)
        }
    }

    /// Throws for a file that nobody is to change.
    func requireChangeable(_ inode: Inode) throws(StorageError) {
        guard inode.flags.isDisjoint(with: [.immutable, .appendOnly]) else {
            throw .xfs(.refused, .immutable, "\(inode.name) is marked immutable or append-only")
        }
        guard !inode.flags2.contains(.metadata) else {
            throw .xfs(.refused, .immutable, "\(inode.name) belongs to the file system itself")
        }
    }
}

extension Inode {
    /// Sets a time: what the inode's form cannot hold becomes the nearest that it can.
    mutating func setTime(_ time: Timestamp, at offset: Int) {
        if flags2.contains(.bigTimes) {
            let seconds = UInt64(clamping: max(time.seconds, -1 << 31) &+ 1 << 31)
            let value = (seconds *? 1_000_000_000).flatMap { $0 +? UInt64(time.nanoseconds) } ?? .max
            bytes.storeBig(value, at: offset)
        } else {
            bytes.storeBig(Int32(clamping: time.seconds), at: offset)
            bytes.storeBig(time.nanoseconds, at: offset + 4)
        }
    }

    /// Sets the count of a fork's extents.
    mutating func setExtentCount(_ count: UInt64, _ fork: Fork) {
        let isLarge = flags2.contains(.largeExtentCounts)
        switch (fork, isLarge) {
        case (.data, true): bytes.storeBig(count, at: Offset.largeExtentCount)
        case (.attributes, false):
            bytes.storeBig(UInt16(truncatingIfNeeded: count), at: Offset.attributeExtentCount)
        default: bytes.storeBig(UInt32(truncatingIfNeeded: count), at: Offset.extentCount)
        }
    }
}
