package import Storage

/// The guest's tree over the file systems of its volumes: a walk by components that follows symbolic links and
/// steps over mounts as the guest's kernel would.
package struct FileSystemTree: GuestTree {
    /// A volume at its place in the tree.
    package struct Mount: Sendable {
        /// The mount point, without a slash at its end.
        package var path: GuestPath
        /// Index of the volume.
        package var volume: Int
        /// Its file system; nil when it cannot be read: what lies below is then not there.
        package var fileSystem: (any FileSystem)?

        /// Makes a mount.
        package init(path: GuestPath, volume: Int, fileSystem: (any FileSystem)?) {
            self.path = path
            self.volume = volume
            self.fileSystem = fileSystem
        }
    }

    private let mounts: [GuestPath: Mount]
    private let fileSystems: [Int: any FileSystem]
    private let obstacles: [GuestPath: StorageError]

    /// The files of one volume alone.
    package init(volume: Int, _ fileSystem: (any FileSystem)?) {
        self.init(mounts: [Mount(path: .root, volume: volume, fileSystem: fileSystem)])
    }

    /// A tree of these mounts, one of them "/". `obstacles` tell at which places what is mounted is missing.
    package init(mounts: [Mount], obstacles: [GuestPath: StorageError] = [:]) {
        self.obstacles = obstacles
        self.mounts = Dictionary(mounts.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        fileSystems = Dictionary(
            mounts.compactMap { mount in mount.fileSystem.map { (mount.volume, $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    package func find(_ path: GuestPath, followLast: Bool) throws(StorageError) -> GuestFile? {
        try walk(path, followLast: followLast)
    }

    package func entries(of directory: GuestFile) throws(StorageError) -> [DirectoryEntry] {
        guard let fileSystem = fileSystems[directory.volume] else { return [] }
        return try fileSystem.entries(of: directory.id)
    }

    package func contents(of file: GuestFile, limit: Int) throws(StorageError) -> [UInt8] {
        guard let fileSystem = fileSystems[file.volume] else { return [] }
        return try fileSystem.contents(of: file.id, limit: limit)
    }

    package func head(of file: GuestFile, byteCount: Int) throws(StorageError) -> [UInt8] {
        guard let fileSystem = fileSystems[file.volume] else { return [] }
        return try fileSystem.head(of: file.id, byteCount: byteCount)
    }

    package func part(
        of file: GuestFile, at offset: UInt64, byteCount: Int
    ) throws(StorageError) -> [UInt8] {
        guard let fileSystem = fileSystems[file.volume] else { return [] }
        let size = try fileSystem.attributes(of: file.id).size
        guard offset < size, byteCount > 0 else { return [] }
        let count = min(byteCount, Int(clamping: size - offset))
        var result = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = try result.withMutableBytes { (span) throws(StorageError) -> Int in
                var rest = span.part(done..<count)
                return try fileSystem.read(file.id, into: &rest, at: offset + UInt64(done))
            }
            guard got > 0 else { return Array(result.prefix(done)) }
            done += got
        }
        return result
    }

    package func linkTarget(of link: GuestFile) throws(StorageError) -> [UInt8] {
        guard let fileSystem = fileSystems[link.volume] else { return [] }
        return try fileSystem.symbolicLinkTarget(of: link.id)
    }
}

extension FileSystemTree: PathSteps {
    package func mountedVolume(at path: GuestPath) -> Int? { mounts[path]?.volume }

    package func obstacle(at path: GuestPath) -> StorageError? { obstacles[path] }

    package func rootDirectory(ofVolume volume: Int) -> FileID? { fileSystems[volume]?.rootDirectory }

    package func lookUp(_ name: [UInt8], in directory: FileKey) throws(StorageError) -> FileID? {
        try fileSystems[directory.volume]?.lookUp(name, in: directory.id)
    }

    package func attributes(of file: FileKey) throws(StorageError) -> FileAttributes {
        try fileSystem(file).attributes(of: file.id)
    }

    package func symbolicLinkTarget(of file: FileKey) throws(StorageError) -> [UInt8] {
        try fileSystem(file).symbolicLinkTarget(of: file.id)
    }

    private func fileSystem(_ file: FileKey) throws(StorageError) -> any FileSystem {
        guard let fileSystem = fileSystems[file.volume] else {
            throw StorageError(
                .misuse, GuestCode.noSuchVolume, "volume \(file.volume) is not in this tree")
        }
        return fileSystem
    }
}
