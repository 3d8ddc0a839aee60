package import Storage
internal import Synchronization

/// An ext2, ext3 or ext4 volume. Opening reads the superblock and nothing else; structures are read, and their
/// checksums verified, when they are asked for. A journal with changes to replay is read at opening, and the volume
/// shown as after the replay, with no byte written.
package final class Ext4FileSystem: FileSystem, VolumeView {
    let store: BlockStore
    let geometry: Geometry
    let options: FileSystemOptions
    /// What fast commits behind the log change; nil where there are none.
    let fastCommits: FastCommitChanges?
    /// Its warnings and its changes.
    let state = VolumeState(layer: Ext4Code.layer)
    private let contents: Mutex<Contents>

    private struct Contents {
        var superblock: Superblock
        var dirty: DirtyJournal?
    }

    private init(
        _ store: BlockStore, _ superblock: Superblock, _ geometry: Geometry,
        _ options: FileSystemOptions,
        dirty: DirtyJournal? = nil, fastCommits: FastCommitChanges? = nil
    ) {
        self.store = store
        self.fastCommits = fastCommits
        self.geometry = geometry
        self.options = options
        contents = Mutex(Contents(superblock: superblock, dirty: dirty))
    }

    /// Opens the volume on `device`, writing nothing. Throws `corrupt` where the superblock contradicts itself,
    /// `unsupported` naming features that are not known.
    package static func open(
        _ device: any BlockDevice, options: FileSystemOptions = FileSystemOptions()
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
            guard options.ignoresChecksums, error.kind == .corrupt else { throw error }
            warn("the fast commits behind the log were left out: \(error.message)")
            return self
        }
    }

    private static func openIgnoringJournal(
        _ device: any BlockDevice, options: FileSystemOptions, dirty: DirtyJournal? = nil
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
    var dirty: DirtyJournal? { contents.withLock { $0.dirty } }
    /// Takes note of the state that a commit left.
    func endCommit(_ target: WriteTarget, superblock: Superblock) {
        store.replaceDevice(target.device)
        contents.withLock { contents in
            contents.superblock = superblock
            contents.dirty = nil
        }
        state.endCommit()
    }

    /// What was odd and did not stop reading.
    package var warnings: [String] { state.warnings }

    // MARK: VolumeView

    var superblock: Superblock { contents.withLock { $0.superblock } }

    var known: KnownInodes? { store.known }

    func block(_ number: BlockNumber) throws(StorageError) -> [UInt8] { try store.block(number) }

    func readData(
        into target: inout MutableRawSpan, from first: BlockNumber, skip: Int
    ) throws(StorageError) {
        try store.read(into: &target, from: first, skip: skip)
    }

    func checksumFailure(
        _ code: Ext4Code, _ message: String, structure: String, offset: UInt64
    ) throws(StorageError) {
        guard options.ignoresChecksums else {
            throw .ext4(.corrupt, code, message, structure: structure, offset: offset)
        }
        warn("\(message) (ignored; \(structure) at byte \(offset.hex))")
    }

    func warn(_ text: String) { state.warn(text) }
}
