package import Storage
internal import Synchronization

/// A FAT12, FAT16 or FAT32 volume. Opening reads the boot sector and the label; the rest is read when it is asked for.
package final class FATFileSystem: FileSystem, VolumeView {
    /// How to open a volume.
    package struct Options: Sendable {
        /// Windows' number of the code page that short names are in.
        package var codePage: Int
        /// The one that they are in, where its table is not here; `codePage` stands in for it.
        package var unknownCodePage: Int?
        /// How much of tables and directories to keep in memory, in bytes.
        package var cacheByteCount: Int
        /// The time that changes are given; nil: the clock's.
        package var now: Timestamp?

        /// Code page 437, 8 MiB of cache.
        package init(codePage: Int = 437, cacheByteCount: Int = 8 << 20, now: Timestamp? = nil) {
            self.codePage = codePage
            self.cacheByteCount = cacheByteCount
            self.now = now
        }
    }

    let device: any BlockDevice
    let geometry: Geometry
    let codePage: CodePage
    let options: Options
    private let state: Mutex<State>

    private struct State {
        var boot: BootSector
        var identity: VolumeIdentity
        var blocks: BoundedCache<UInt64, [UInt8]>
        var chains: BoundedCache<ClusterNumber, Chain>
        var generation: UInt64 = 0
        var isCommitting = false
        /// Of the generation that it was checked in, which clusters are free.
        var space: (generation: UInt64, FreeSpace)?
    }

    private init(
        _ device: any BlockDevice, _ boot: BootSector, _ identity: VolumeIdentity, _ codePage: CodePage,
        _ options: Options
    ) {
        self.device = device
        self.codePage = codePage
        self.options = options
        geometry = Geometry(boot)
        state = Mutex(
            State(
                boot: boot, identity: identity, blocks: BoundedCache(budget: options.cacheByteCount),
                chains: BoundedCache(budget: options.cacheByteCount)))
    }

    /// Opens the volume on `device`, writing nothing. Throws `corrupt` where there is none, or none that could hold a file.
    package static func open(
        _ device: any BlockDevice, options: Options = Options()
    ) throws(StorageError) -> FATFileSystem {
        guard let codePage = CodePage(options.codePage) else {
            let known = CodePage.upperHalves.keys.sorted().map(String.init).joined(separator: ", ")
            throw .fat(
                .misuse, .unknownCodePage,
                "code page \(options.codePage) is not known here; there are \(known)")
        }
        guard let boot = try BootSector.read(device) else {
            throw .fat(
                .corrupt, .noBootSector, "there is no FAT file system here", structure: "boot sector",
                offset: 0)
        }
        let geometry = Geometry(boot)
        guard geometry.clusterCount > 0, boot.width != .fat32 || geometry.contains(geometry.rootCluster),
            boot.width == .fat32 || geometry.rootByteCount > 0
        else {
            throw .fat(
                .corrupt, .badGeometry,
                "the boot sector leaves no room for clusters or for the root directory",
                structure: "boot sector",
                offset: 0)
        }
        return FATFileSystem(device, boot, try boot.signature(on: device).identity, codePage, options)
    }

    /// What was odd and did not stop reading.
    package var warnings: [String] {
        var result: [String] = []
        if geometry.byteCount > device.byteCount {
            result.append("the file system is longer than its device; the image may be truncated")
        }
        if let number = options.unknownCodePage {
            result.append(
                "code page \(number) is not known here; short names are shown as in \(options.codePage)")
        }
        if boot.isDirty { result.append("the volume was not unmounted; run fsck.vfat") }
        return result
    }

    /// The boot sector as it is.
    var boot: BootSector { state.withLock { $0.boot } }

    // MARK: Changes

    /// How many changes were committed.
    var generation: UInt64 { state.withLock { $0.generation } }
    /// A commit was begun and not ended: it is under way, or it failed.
    var isCommitting: Bool { state.withLock { $0.isCommitting } }

    /// The free clusters, where the volume was found sound and has not changed but by commits.
    var knownSpace: FreeSpace? {
        state.withLock { state in state.space.flatMap { $0.generation == state.generation ? $0.1 : nil } }
    }

    func note(_ space: FreeSpace) { state.withLock { $0.space = ($0.generation, space) } }

    /// Takes note that the device is about to be written. Throws when the change was made for another state.
    func beginCommit(of generation: UInt64) throws(StorageError) {
        let isCurrent = state.withLock { state in
            guard state.generation == generation, !state.isCommitting else { return false }
            state.generation += 1
            state.isCommitting = true
            return true
        }
        guard isCurrent else {
            throw .fat(
                .misuse, .transactionStale,
                "the volume was changed since the transaction began; begin another")
        }
    }

    /// Takes note of the state that a commit left.
    func endCommit(_ space: FreeSpace) throws(StorageError) {
        guard let boot = try BootSector.read(device) else {
            throw .fat(
                .corrupt, .noBootSector, "the boot sector is gone", structure: "boot sector", offset: 0)
        }
        let identity = try boot.signature(on: device).identity
        state.withLock { state in
            state.boot = boot
            state.identity = identity
            state.blocks.removeAll()
            state.chains.removeAll()
            state.space = (state.generation, space)
            state.isCommitting = false
        }
    }

    // MARK: VolumeView

    private static let blockSize: UInt64 = 4096

    func metadata(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        let first = offset / Self.blockSize * Self.blockSize
        let skip = Int(offset - first)
        if skip + count <= Int(Self.blockSize) {
            let block = try block(at: first)
            try requireInside(offset, count, skip + count <= block.count)
            return Array(block[skip..<skip + count])
        }
        try requireInside(
            offset, count, offset <= device.byteCount && UInt64(count) <= device.byteCount - offset)
        return try device.bytes(at: offset, count: count)
    }

    private func requireInside(_ offset: UInt64, _ count: Int, _ isInside: Bool) throws(StorageError) {
        guard isInside else {
            throw .fat(
                .corrupt, .truncatedDevice,
                "\(count) bytes that the file system needs lie behind the device's end; the image may be truncated",
                offset: offset)
        }
    }

    private func block(at offset: UInt64) throws(StorageError) -> [UInt8] {
        if let kept = state.withLock({ $0.blocks.value(for: offset) }) { return kept }
        guard offset < device.byteCount else { return [] }
        let generation = generation
        let bytes = try device.bytes(at: offset, count: Int(min(Self.blockSize, device.byteCount - offset)))
        state.withLock { state in
            // What was read beside a commit is not kept.
            if state.generation == generation, !state.isCommitting {
                state.blocks.keep(bytes, for: offset, cost: bytes.count)
            }
        }
        return bytes
    }

    func readData(
        into target: inout MutableRawSpan, from cluster: ClusterNumber, skip: Int
    ) throws(StorageError) {
        let offset = geometry.byteOffset(of: cluster) + UInt64(skip)
        let count = target.byteCount
        try requireInside(
            offset, count, offset <= device.byteCount && UInt64(count) <= device.byteCount - offset)
        try device.read(into: &target, at: offset)
    }

    func keptChain(_ first: ClusterNumber) -> Chain? { state.withLock { $0.chains.value(for: first) } }

    func keep(_ chain: Chain, of first: ClusterNumber) {
        let cost = chain.runs.count * MemoryLayout<Chain.Run>.stride
        state.withLock { state in
            if !state.isCommitting { state.chains.keep(chain, for: first, cost: cost) }
        }
    }
}

extension FATFileSystem {
    /// Kind, serial number, label, width, sizes.
    package var identity: VolumeIdentity { state.withLock { $0.identity } }

    /// Everything that FAT can.
    package var capabilities: Capabilities { FATDriver.capabilities }

    /// The root directory.
    package var rootDirectory: FileID { rootKey }

    /// The file called `name`, short or long, in `directory`, or nil.
    package func lookUp(_ name: [UInt8], in directory: FileID) throws(StorageError) -> FileID? {
        try lookUpFile(name, in: directory)
    }

    /// Lists a directory in the order of its slots.
    package func forEachEntry(
        of directory: FileID, _ body: (DirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        try forEachDirectoryEntry(of: directory, body)
    }

    /// What stat tells.
    package func attributes(of file: FileID) throws(StorageError) -> FileAttributes {
        try fileAttributes(of: file)
    }

    /// Reads a regular file's contents.
    package func read(
        _ file: FileID, into target: inout MutableRawSpan, at offset: UInt64
    ) throws(StorageError) -> Int {
        try readFile(file, into: &target, at: offset)
    }

    /// Where a regular file's bytes lie.
    package func nextExtent(of file: FileID, at offset: UInt64) throws(StorageError) -> Extent {
        try extent(of: file, at: offset)
    }
}
