internal import HostIO
internal import Partitions
public import Storage
internal import Synchronization

/// A guest: one or more disks, and the volumes on them.
///
///     let guest = try Guest.open(["web01.vmdk"])
///     for volume in guest.volumes { print(volume.name, volume.identity.kind.rawValue) }
public final class Guest: Sendable {
    /// The disks in the order given.
    public let images: [DiskImage]
    /// Every volume on them: partitions, whole disks, logical volumes, arrays.
    public let volumes: [Volume]
    /// What a user should know before relying on what is read.
    public let warnings: [String]

    /// What the description of its machine says, where one was given.
    let machine: SourceMachine?
    let layout: DiscoveredVolumes
    let devices: [any BlockDevice]
    let registry: FileSystemRegistry
    private let ignoresChecksums: Bool
    /// By volume; nil where nobody asked yet.
    private let fileSystems: Mutex<[OpenedVolume?]>

    /// What came of opening a volume's file system. No `Result`: the runtime searches all conformances to make up its type,
    /// which is felt in commands that take milliseconds.
    private enum OpenedVolume {
        case fileSystem(any FileSystem)
        case failed(StorageError)

        func get() throws(StorageError) -> any FileSystem {
            switch self {
            case .fileSystem(let fileSystem): return fileSystem
            case .failed(let error): throw error
            }
        }
    }

    private init(
        images: [DiskImage], machine: SourceMachine?, devices: [any BlockDevice], layout: DiscoveredVolumes,
        registry: FileSystemRegistry, ignoresChecksums: Bool
    ) {
        self.images = images
        self.machine = machine
        self.devices = devices
        self.layout = layout
        self.registry = registry
        self.ignoresChecksums = ignoresChecksums
        volumes = layout.volumes
        fileSystems = Mutex([OpenedVolume?](repeating: nil, count: layout.volumes.count))
        warnings =
            images.flatMap(\.warnings)
            + layout.findings.filter { $0.severity != .note }.map { finding in
                let place = finding.disk.map { images[$0].path.hostBytes.shellText + ": " } ?? ""
                return place + finding.message
            }
    }

    /// Opens the disks of one guest. `options.format` holds for all of them. Nothing is written; with
    /// `forWriting` a change that was cut off earlier is rolled back first.
    ///
    /// Throws what `DiskImage.open` throws, and `refused` when two images are one file.
    public static func open(
        _ paths: [String], options: ImageOptions = ImageOptions(), forWriting: Bool = false
    ) throws(StorageError) -> Guest {
        try open(paths, options: options, forWriting: forWriting, registry: .builtIn)
    }

    /// The same with other drivers than the engine's.
    package static func open(
        _ paths: [String], options: ImageOptions = ImageOptions(), forWriting: Bool = false,
        registry: FileSystemRegistry
    ) throws(StorageError) -> Guest {
        try open(
            try DiskSources(paths, options), options, forWriting: forWriting, registry: registry)
    }

    /// The guest on disks that were found.
    static func open(
        _ sources: DiskSources, _ options: ImageOptions, forWriting: Bool = false,
        registry: FileSystemRegistry = .builtIn
    ) throws(StorageError) -> Guest {
        var seen: [FileIdentity] = []
        var members: [String] = []
        for path in sources.requests.map(\.path) {
            guard let identity = HostDirectory.identity(of: path) else {
                let place = HostDirectory.absolutePath(path)
                guard !members.contains(where: { $0.hostBytes == place.hostBytes }) else {
                    throw StorageError(
                        .refused, GuestCode.sameDiskTwice, "is given twice as a disk of the guest",
                        path: path)
                }
                members.append(place)
                continue
            }
            guard !seen.contains(identity) else {
                throw StorageError(
                    .refused, GuestCode.sameDiskTwice,
                    "is given twice as a disk of the guest",
                    path: path)
            }
            seen.append(identity)
        }
        let images = try DiskImage.open(sources, options, forWriting: forWriting)
        let guest = try Guest(
            images: images, machine: sources.machine, devices: images.map(\.device), registry: registry,
            ignoresChecksums: options.ignoresChecksums)
        guard !options.ignoresChecksums || !forWriting else {
            let tools = registry.drivers.filter { driver in
                guest.volumes.contains { driver.kinds.contains($0.identity.kind) }
            }.map { $0.repairTool }
            throw StorageError(
                .misuse, GuestCode.ignoreChecksumsWriting,
                "what is wrong in a damaged file system can be read past, not written past"
                    + (tools.isEmpty ? "" : "; run " + tools.joined(separator: " or ")))
        }
        return guest
    }

    /// The same guest seen through other devices (overlays over the images' own), or through the same ones again.
    func seen(through devices: [any BlockDevice]) throws(StorageError) -> Guest {
        try Guest(images: images, machine: machine, devices: devices, registry: registry)
    }

    private convenience init(
        images: [DiskImage], machine: SourceMachine?, devices: [any BlockDevice],
        registry: FileSystemRegistry,
        ignoresChecksums: Bool = false
    ) throws(StorageError) {
        self.init(
            images: images, machine: machine, devices: devices,
            layout: try VolumeDiscovery.discover(disks: devices, probe: registry.probe), registry: registry,
            ignoresChecksums: ignoresChecksums)
    }

    /// The index of the volume of that name ("p2", "2:p1", "VG/LV", "disk"), or `misuse` naming those there are.
    public func volumeIndex(named name: String) throws(StorageError) -> Int {
        if let index = volumes.firstIndex(where: { $0.name.hostBytes == name.hostBytes }) { return index }
        // One disk is the first of several, too.
        if images.count == 1, name.hasPrefix("1:"),
            let index = volumes.firstIndex(where: { $0.name.hostBytes == String(name.dropFirst(2)).hostBytes }
            )
        {
            return index
        }
        let names = volumes.map(\.name).joined(separator: ", ")
        throw StorageError(
            .misuse, GuestCode.noSuchVolume,
            names.isEmpty
                ? "there is no volume \(name); no volume was found"
                : "there is no volume \(name); there are \(names)")
    }

    /// The file system on a volume. Throws `unsupported` for contents that cannot be read as files.
    public func fileSystem(on index: Int) throws(StorageError) -> any FileSystem {
        if let known = fileSystems.withLock({ $0[index] }) { return try known.get() }
        let volume = volumes[index]
        let result: OpenedVolume
        do throws(StorageError) {
            result = .fileSystem(try openFileSystem(volume))
        } catch {
            // Nothing about the volume.
            guard !error.isCancellation else { throw error }
            result = .failed(error)
        }
        return try fileSystems.withLock { known in
            if known[index] == nil { known[index] = result }
            return known[index] ?? result
        }.get()
    }

    /// What is odd in the file systems that were opened so far, each with its volume's name.
    public var fileSystemWarnings: [String] {
        let opened = fileSystems.withLock { $0 }
        return opened.enumerated().flatMap { index, result in
            (try? result?.get())?.warnings.map { "\(volumes[index].name): \($0)" } ?? []
        }
    }

    private func openFileSystem(_ volume: Volume) throws(StorageError) -> any FileSystem {
        guard let driver = registry.driver(for: volume.identity.kind) else {
            throw StorageError(
                .unsupported, GuestCode.noFileSystem,
                volume.identity.kind == .unknown
                    ? "\(volume.name) holds nothing that is known"
                    : "\(volume.name) holds \(volume.identity.kind.rawValue), whose files cannot be read here"
            )
        }
        let codePage = driver.hasCodePages ? try codePage(of: volume) : nil
        return try driver.open(
            volume.device, options: .init(ignoresChecksums: ignoresChecksums, codePage: codePage))
    }
}
