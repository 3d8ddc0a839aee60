package import Storage
internal import Synchronization

/// An XFS volume. Opening reads the superblock and the log; structures are read, and their checksums verified, when they
/// are asked for. A log with changes to replay is replayed in memory, and the volume shown as after it, with no byte
/// written.
package final class XFSFileSystem: FileSystem, VolumeView {
    /// How to open a volume.
    package struct Options: Sendable {
        /// Read on where a checksum is wrong, with a warning.
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
    /// The log was replayed in memory.
    let isReplayed: Bool
    private let state: Mutex<State>

    private struct State {
        var superblock: Superblock
        var warnings: [String] = []
        var generation: UInt64 = 0
        var isCommitting = false
    }

    /// More warnings than this would say nothing new.
    private static let maximumWarningCount = 100

    private init(
        _ device: any BlockDevice, _ superblock: Superblock, _ options: Options, isReplayed: Bool
    ) throws(StorageError) {
        self.isReplayed = isReplayed
        geometry = try superblock.geometry()
        store = BlockStore(device, cacheByteCount: options.cacheByteCount)
        self.options = options
        state = Mutex(State(superblock: superblock))
    }

    /// Opens the volume on `device`, writing nothing. Throws `corrupt` where the superblock contradicts itself or the
    /// log cannot be replayed, `unsupported` naming features that are not known.
    package static func open(
        _ device: any BlockDevice, options: Options = Options()
    ) throws(StorageError) -> XFSFileSystem {
        let onDisk = try openIgnoringLog(device, options: options)
        guard let replay = try onDisk.replayLog(on: device) else { return onDisk }
        let replayed = try openIgnoringLog(replay.device, options: options, isReplayed: true)
        for warning in onDisk.warnings + replay.warnings { replayed.warn(warning) }
        return replayed
    }

    static func openIgnoringLog(
        _ device: any BlockDevice, options: Options, isReplayed: Bool = false
    ) throws(StorageError) -> XFSFileSystem {
        guard let superblock = try Superblock.read(from: device) else {
            throw .xfs(
                .corrupt, .badMagic, "there is no XFS file system here", structure: "superblock",
                field: "sb_magicnum", offset: 0)
        }
        let fileSystem = try XFSFileSystem(device, superblock, options, isReplayed: isReplayed)
        if !superblock.hasValidChecksum {
            try fileSystem.checksumFailure(
                .superblockChecksum, "the superblock's checksum is wrong; run xfs_repair",
                structure: "superblock", offset: 0)
        }
        if fileSystem.geometry.blockCount * UInt64(fileSystem.geometry.blockSize) > device.byteCount {
            fileSystem.warn("the file system is longer than its device; the image may be truncated")
        }
        if fileSystem.geometry.incompatible.contains(.needsRepair) {
            fileSystem.warn(
                "the file system is marked as damaged: no kernel mounts it before xfs_repair has run")
        }
        return fileSystem
    }

    // MARK: Changes

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
            throw .xfs(
                .misuse, .transactionStale,
                "the volume was changed since the transaction began; begin another")
        }
    }

    /// Takes note of the state that a commit left.
    func endCommit(superblock: Superblock) {
        store.invalidate()
        state.withLock { state in
            state.superblock = superblock
            state.isCommitting = false
        }
    }

    /// What was odd and did not stop reading.
    package var warnings: [String] { state.withLock { $0.warnings } }

    // MARK: VolumeView

    var superblock: Superblock { state.withLock { $0.superblock } }

    func buffer(at position: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        try store.buffer(at: position, count: count)
    }

    func readData(into target: inout MutableRawSpan, at position: UInt64) throws(StorageError) {
        try store.read(into: &target, at: position)
    }

    func checksumFailure(
        _ code: XFSCode, _ message: String, structure: String, offset: UInt64
    ) throws(StorageError) {
        guard options.ignoreChecksums else {
            throw .xfs(.corrupt, code, message, structure: structure, offset: offset)
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
