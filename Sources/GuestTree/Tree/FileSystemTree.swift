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

    /// What it could not read, where it goes on past damage: what is damaged is then not there, or holds nothing.
    private let damage: TreeDamage?
    /// The same of what files hold.
    private let isTolerantOfContents: Bool
    /// What it remembers of directories' names; nil: nothing.
    private var listing: DirectoryListing?

    /// The files of one volume alone; with `damage` one that goes on past what is damaged and notes it there.
    package init(volume: Int, _ fileSystem: (any FileSystem)?, noting damage: TreeDamage? = nil) {
        self.init(
            mounts: [Mount(path: .root, volume: volume, fileSystem: fileSystem)], noting: damage)
    }

    /// A tree of these mounts, one of them "/". `obstacles` tell at which places what is mounted is missing. With `damage` it
    /// goes on past damaged directories and inodes, and unless `readsStrictly` past damage within files too, and notes it there.
    package init(
        mounts: [Mount], obstacles: [GuestPath: StorageError] = [:], noting damage: TreeDamage? = nil,
        readsStrictly: Bool = false
    ) {
        self.obstacles = obstacles
        self.damage = damage
        isTolerantOfContents = damage != nil && !readsStrictly
        self.mounts = Dictionary(mounts.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        fileSystems = Dictionary(
            mounts.compactMap { mount in mount.fileSystem.map { (mount.volume, $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    package func find(_ path: GuestPath, followLast: Bool) throws(StorageError) -> GuestFile? {
        // What is in memory, and holes, come without a host file, and an image says how many paths are looked for.
        try Cancellation.check()
        do throws(StorageError) {
            return try walk(path, followLast: followLast)
        } catch {
            guard let damage else { throw error }
            try damage.note(error, path)
            return nil
        }
    }

    package func entries(of directory: GuestFile) throws(StorageError) -> [DirectoryEntry] {
        guard let fileSystem = fileSystems[directory.volume] else { return [] }
        do throws(StorageError) {
            return try fileSystem.entries(of: directory.id, limit: configurationNameLimit)
        } catch {
            guard let damage else { throw error }
            try damage.note(error, directory.path, directory.key)
            return []
        }
    }

    package func contents(of file: GuestFile, limit: Int) throws(StorageError) -> [UInt8] {
        try Cancellation.check()
        guard let fileSystem = fileSystems[file.volume] else { return [] }
        do throws(StorageError) {
            return try fileSystem.contents(of: file.id, limit: limit)
        } catch {
            try note(error, file)
            return []
        }
    }

    package func head(of file: GuestFile, byteCount: Int) throws(StorageError) -> [UInt8] {
        guard let fileSystem = fileSystems[file.volume] else { return [] }
        do throws(StorageError) {
            return try fileSystem.head(of: file.id, byteCount: byteCount)
        } catch {
            try note(error, file)
            return []
        }
    }

    package func read(
        _ file: GuestFile, into target: inout MutableRawSpan, at offset: UInt64
    ) throws(StorageError) -> Int {
        guard let fileSystem = fileSystems[file.volume] else { return 0 }
        do throws(StorageError) {
            return try fileSystem.read(file.id, into: &target, at: offset)
        } catch {
            try note(error, file)
            return 0
        }
    }

    package func linkTarget(of link: GuestFile) throws(StorageError) -> [UInt8] {
        guard let fileSystem = fileSystems[link.volume] else { return [] }
        do throws(StorageError) {
            return try fileSystem.symbolicLinkTarget(of: link.id)
        } catch {
            try note(error, link)
            return []
        }
    }

    package func rememberingNames() -> FileSystemTree {
        var tree = self
        tree.listing = DirectoryListing()
        return tree
    }

    package func damage(of file: GuestFile) -> StorageError? { damage?.error(of: file.key) }
    package func damage(at path: GuestPath) -> StorageError? { damage?.error(at: path) }

    private func note(_ error: StorageError, _ file: GuestFile) throws(StorageError) {
        guard isTolerantOfContents, let damage else { throw error }
        try damage.note(error, file.path, file.key)
    }
}

extension FileSystemTree: PathSteps {
    package func mountedVolume(at path: GuestPath) -> Int? { mounts[path]?.volume }

    package func obstacle(at path: GuestPath) -> StorageError? { obstacles[path] }

    package func rootDirectory(ofVolume volume: Int) -> FileID? { fileSystems[volume]?.rootDirectory }

    package func lookUp(_ name: [UInt8], in directory: FileKey) throws(StorageError) -> FileID? {
        guard let fileSystem = fileSystems[directory.volume] else { return nil }
        if let id = try listing?.find(name, in: directory, of: fileSystem) { return id }
        return try fileSystem.lookUp(name, in: directory.id)
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
