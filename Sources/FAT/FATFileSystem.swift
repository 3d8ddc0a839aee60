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

    let store: MetadataStore
    let geometry: Geometry
    let codePage: CodePage
    let options: Options
    /// Its changes.
    let state = VolumeState(layer: FATCode.layer)
    private let contents: Mutex<Contents>

    private struct Contents {
        var boot: BootSector
        var identity: VolumeIdentity
        var chains: BoundedCache<ClusterNumber, Chain>
        /// Of the generation that it was checked in, which clusters are free.
        var space: (generation: UInt64, FreeSpace)?
    }

    private init(
        _ device: any BlockDevice, _ boot: BootSector, _ identity: VolumeIdentity, _ codePage: CodePage,
        _ options: Options
    ) {
        store = MetadataStore(device, layer: FATCode.layer, cacheByteCount: options.cacheByteCount)
        self.codePage = codePage
        self.options = options
        geometry = Geometry(boot)
        contents = Mutex(
            Contents(
                boot: boot, identity: identity, chains: BoundedCache(budget: options.cacheByteCount)))
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
        if geometry.activeTable != 0 {
            result.append(
                "the allocation table that is read is number \(geometry.activeTable), as the boot sector says; Linux and "
                    + "fsck.vfat read number 0")
        }
        if boot.isDirty { result.append("the volume was not unmounted; run fsck.vfat") }
        return result
    }

    var device: any BlockDevice { store.device }

    /// The boot sector as it is.
    var boot: BootSector { contents.withLock { $0.boot } }

    // MARK: Changes

    /// How many changes were committed.
    var generation: UInt64 { state.generation }

    /// The free clusters, where the volume was found sound and has not changed but by commits.
    var knownSpace: FreeSpace? {
        let generation = generation
        return contents.withLock { $0.space.flatMap { $0.generation == generation ? $0.1 : nil } }
    }

    func note(_ space: FreeSpace) {
        let generation = generation
        contents.withLock { $0.space = (generation, space) }
    }

    /// Takes note of the state that a commit left.
    func endCommit(_ space: FreeSpace) throws(StorageError) {
        guard let boot = try BootSector.read(device) else {
            throw .fat(
                .corrupt, .noBootSector, "the boot sector is gone", structure: "boot sector", offset: 0)
        }
        let identity = try boot.signature(on: device).identity
        let generation = generation
        store.invalidate()
        contents.withLock { contents in
            contents.boot = boot
            contents.identity = identity
            contents.chains.removeAll()
            contents.space = (generation, space)
        }
        state.endCommit()
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
        let device = device
        guard offset < device.byteCount else { return [] }
        return try store.bytes(at: offset, count: Int(min(Self.blockSize, device.byteCount - offset)))
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

    func keptChain(_ first: ClusterNumber) -> Chain? { contents.withLock { $0.chains.value(for: first) } }

    func keep(_ chain: Chain, of first: ClusterNumber, readIn generation: UInt64) {
        let cost = chain.runs.count * MemoryLayout<Chain.Run>.stride
        contents.withLock { contents in
            // What was read beside a commit is not kept.
            if state.generation == generation, !state.isCommitting {
                contents.chains.keep(chain, for: first, cost: cost)
            }
        }
    }
}

extension FATFileSystem {
    /// Kind, serial number, label, width, sizes.
    package var identity: VolumeIdentity { contents.withLock { $0.identity } }

    /// Everything that FAT can.
    package var capabilities: Capabilities { FATDriver.capabilities }

    /// Where a regular file's bytes lie.
    package func nextExtent(of file: FileID, at offset: UInt64) throws(StorageError) -> Extent {
        try extent(of: file, at: offset)
    }
}
