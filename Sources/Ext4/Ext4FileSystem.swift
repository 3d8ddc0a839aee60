package import Storage
internal import Synchronization

/// An ext2, ext3 or ext4 volume. Opening reads the superblock and nothing else; structures are read, and their
/// checksums verified, when they are asked for. A journal with changes to replay is read at opening, and the volume
/// shown as after the replay, with no byte written.
package final class Ext4FileSystem: FileSystem, VolumeView {
    /// How to open a volume.
    package struct Options: Sendable {
        /// Read on where a metadata checksum is wrong, with a warning.
        package var ignoreChecksums: Bool
        /// How much metadata to keep in memory, in bytes.
        package var cacheByteCount: Int
        /// The time that changes are given; nil: the clock's.
        package var now: Timestamp?

        /// Checksums verified, 16 MiB of cache.
        package init(
            ignoreChecksums: Bool = false, cacheByteCount: Int = 16 << 20, now: Timestamp? = nil
        ) {
            self.ignoreChecksums = ignoreChecksums
            self.cacheByteCount = cacheByteCount
            self.now = now
        }
    }

    let store: BlockStore
    let geometry: Geometry
    let options: Options
    /// What fast commits behind the log change; nil where there are none.
    let fastCommits: FastCommitChanges?
    private let state: Mutex<State>

    private struct State {
        var superblock: Superblock
        var warnings: [String] = []
        var dirty: DirtyJournal?
        var generation: UInt64 = 0
        var isCommitting = false
    }

    /// More warnings than this would say nothing new.
    private static let maximumWarningCount = 100

    private init(
        _ store: BlockStore, _ superblock: Superblock, _ geometry: Geometry, _ options: Options,
        dirty: DirtyJournal? = nil, fastCommits: FastCommitChanges? = nil
    ) {
        self.store = store
        self.fastCommits = fastCommits
        self.geometry = geometry
        self.options = options
        state = Mutex(State(superblock: superblock, dirty: dirty))
    }

    /// Opens the volume on `device`, writing nothing. Throws `corrupt` where the superblock contradicts itself,
    /// `unsupported` naming features that are not known.
    package static func open(
        _ device: any BlockDevice, options: Options = Options()
    ) throws(StorageError) -> Ext4FileSystem {
        let onDisk = try openIgnoringJournal(device, options: options)
        guard onDisk.geometry.incompatible.contains(.needsRecovery), let dirty = try onDisk.dirtyJournal()
        else { return onDisk }
        let replayed = try openIgnoringJournal(
            ReplayedDevice(dirty.journal.file, dirty.replay), options: options, dirty: dirty)
        for warning in onDisk.warnings { replayed.warn(warning) }
        guard let area = dirty.replay.fastCommits else { return replayed }
        return try replayed.withFastCommits(area, dirty)
    }

    /// The same volume with the fast commits that follow the log's full ones.
    private func withFastCommits(
        _ area: FastCommitArea, _ dirty: DirtyJournal
    ) throws(StorageError) -> Ext4FileSystem {
        do throws(StorageError) {
            let changes = try FastCommitChanges(area, of: dirty.journal, over: self)
            let result = Ext4FileSystem(
                store, superblock, geometry, options, dirty: dirty, fastCommits: changes)
            for warning in warnings { result.warn(warning) }
            return result
        } catch {
            guard options.ignoreChecksums, error.kind == .corrupt else { throw error }
            warn("the fast commits behind the log were left out: \(error.message)")
            return self
        }
    }

    private static func openIgnoringJournal(
        _ device: any BlockDevice, options: Options, dirty: DirtyJournal? = nil
    ) throws(StorageError) -> Ext4FileSystem {
        guard let superblock = try Superblock.read(from: device) else {
            throw .ext4(
                .corrupt, .badMagic, "there is no ext2, ext3 or ext4 file system here",
                structure: "superblock",
                field: "s_magic", offset: Superblock.byteOffset + UInt64(Superblock.Offset.magic))
        }
        let geometry = try superblock.geometry()
        let store = BlockStore(device, geometry: geometry, cacheByteCount: options.cacheByteCount)
        let fileSystem = Ext4FileSystem(store, superblock, geometry, options, dirty: dirty)
        if !superblock.hasValidChecksum {
            try fileSystem.checksumFailure(
                .superblockChecksum, "the superblock's checksum is wrong; run e2fsck",
                structure: "superblock",
                offset: Superblock.byteOffset)
        }
        if geometry.blockCount * UInt64(geometry.blockSize) > device.byteCount {
            fileSystem.warn("the file system is longer than its device; the image may be truncated")
        }
        return fileSystem
    }

    // MARK: Changes

    /// The journal and its replay, when there is something to replay.
    var dirty: DirtyJournal? { state.withLock { $0.dirty } }
    /// How many changes were committed.
    var generation: UInt64 { state.withLock { $0.generation } }
    /// A commit was begun and not ended: it is under way, or it failed.
    var isCommitting: Bool { state.withLock { $0.isCommitting } }

    /// Takes note that the device is about to be written. Throws when the change was made for another state.
    func beginCommit(of target: WriteTarget) throws(StorageError) {
        let isCurrent = state.withLock { state in
            guard state.generation == target.generation, !state.isCommitting else { return false }
            state.generation += 1
            state.isCommitting = true
            return true
        }
        guard isCurrent else {
            throw .ext4(
                .misuse, .transactionStale,
                "the volume was changed since the transaction began; begin another")
        }
    }

    /// Takes note of the state that a commit left.
    func endCommit(_ target: WriteTarget, superblock: Superblock) {
        store.replaceDevice(target.device)
        state.withLock { state in
            state.superblock = superblock
            state.dirty = nil
            state.isCommitting = false
        }
    }

    /// What was odd and did not stop reading.
    package var warnings: [String] { state.withLock { $0.warnings } }

    // MARK: VolumeView

    var superblock: Superblock { state.withLock { $0.superblock } }

    func block(_ number: BlockNumber) throws(StorageError) -> [UInt8] { try store.block(number) }

    func readData(
        into target: inout MutableRawSpan, from first: BlockNumber, skip: Int
    ) throws(StorageError) {
        try store.read(into: &target, from: first, skip: skip)
    }

    func checksumFailure(
        _ code: Ext4Code, _ message: String, structure: String, offset: UInt64
    ) throws(StorageError) {
        guard options.ignoreChecksums else {
            throw .ext4(.corrupt, code, message, structure: structure, offset: offset)
        }
        warn("\(message) (ignored; \(structure) at byte \(offset.hex))")
    }

    func warn(_ text: String) {
        state.withLock { state in
            guard state.warnings.count < Self.maximumWarningCount, !state.warnings.contains(text) else {
                return
            }
            state.warnings.append(text)
        }
    }
}
