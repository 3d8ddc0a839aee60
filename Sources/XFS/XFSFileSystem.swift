package import Storage
internal import Synchronization

/// An XFS volume. Opening reads the superblock and the log; structures are read, and their checksums verified, when they
/// are asked for. A log with changes to replay is replayed in memory, and the volume shown as after it, with no byte
/// written.
package final class XFSFileSystem: FileSystem, VolumeView {
    let store: MetadataStore
    let geometry: Geometry
    let options: FileSystemOptions
    /// The log was replayed in memory.
    let isReplayed: Bool
    /// Its warnings and its changes.
    let state = VolumeState(layer: XFSCode.layer)
    private let current: Mutex<Superblock>

    private init(
        _ device: any BlockDevice, _ superblock: Superblock, _ options: FileSystemOptions, isReplayed: Bool
    ) throws(StorageError) {
        self.isReplayed = isReplayed
        geometry = try superblock.geometry()
        store = MetadataStore(
            device, layer: XFSCode.layer, cacheByteCount: max(options.cacheByteCount, 1 << 19))
        self.options = options
        current = Mutex(superblock)
    }

    /// Opens the volume on `device`, writing nothing. Throws `corrupt` where the superblock contradicts itself or the
    /// log cannot be replayed, `unsupported` naming features that are not known.
    package static func open(
        _ device: any BlockDevice, options: FileSystemOptions = FileSystemOptions()
    ) throws(StorageError) -> XFSFileSystem {
        let onDisk = try openIgnoringLog(device, options: options)
        guard let replay = try onDisk.replayLog(on: device) else { return onDisk }
        let replayed = try openIgnoringLog(replay.device, options: options, isReplayed: true)
        for warning in onDisk.warnings + replay.warnings { replayed.warn(warning) }
        return replayed
    }

    static func openIgnoringLog(
        _ device: any BlockDevice, options: FileSystemOptions, isReplayed: Bool = false
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
        if let fault = superblock.fault(fileSystem.geometry) {
            fileSystem.warn(superblock.error(fault).message)
        }
        if fileSystem.geometry.incompatible.contains(.needsRepair) {
            fileSystem.warn(
                "the file system is marked as damaged: no kernel mounts it before xfs_repair has run")
        }
        return fileSystem
    }

    // MARK: Changes

    /// Takes note of the state that a commit left.
    func endCommit(superblock: Superblock) {
        store.invalidate()
        current.withLock { $0 = superblock }
        state.endCommit()
    }

    /// What was odd and did not stop reading.
    package var warnings: [String] { state.warnings }

    // MARK: VolumeView

    var superblock: Superblock { current.withLock { $0 } }

    func buffer(at position: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        try store.bytes(at: position, count: count)
    }

    func readData(into target: inout MutableRawSpan, at position: UInt64) throws(StorageError) {
        try store.read(into: &target, at: position)
    }

    func checksumFailure(
        _ code: XFSCode, _ message: String, structure: String, offset: UInt64
    ) throws(StorageError) {
        guard options.ignoresChecksums else {
            throw .xfs(.corrupt, code, message, structure: structure, offset: offset)
        }
        warn("\(message) (ignored; \(structure) at byte \(offset.hex))")
    }

    func warn(_ text: String) { state.warn(text) }
}
