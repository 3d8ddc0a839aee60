package import Storage

/// A guest's tree as the edit will leave it.
package struct EditedTree: PathSteps {
    let edit: GuestEdit

    package func mountedVolume(at path: GuestPath) -> Int? { edit.mounts[path] }

    package func obstacle(at path: GuestPath) -> StorageError? { edit.obstacles[path] }

    package func rootDirectory(ofVolume volume: Int) -> FileID? {
        try? edit.guest.fileSystem(on: volume).rootDirectory
    }

    package func lookUp(_ name: [UInt8], in directory: FileKey) throws(StorageError) -> FileID? {
        try files(on: directory.volume).lookUp(name, in: directory.id)
    }

    package func attributes(of file: FileKey) throws(StorageError) -> FileAttributes {
        try files(on: file.volume).attributes(of: file.id)
    }

    package func symbolicLinkTarget(of file: FileKey) throws(StorageError) -> [UInt8] {
        try files(on: file.volume).symbolicLinkTarget(of: file.id)
    }

    package func entries(of directory: FileKey) throws(StorageError) -> [DirectoryEntry] {
        try files(on: directory.volume).entries(of: directory.id)
    }

    package func extendedAttributes(of file: FileKey) throws(StorageError) -> [ExtendedAttribute] {
        try files(on: file.volume).extendedAttributes(of: file.id)
    }

    package func contents(of file: FileKey, limit: Int) throws(StorageError) -> [UInt8] {
        try files(on: file.volume).contents(of: file.id, limit: limit)
    }

    /// A volume's files as the open transaction will leave them, or as they are: reading begins none.
    private func files(on volume: Int) throws(StorageError) -> any FileTree {
        if let open = edit.openTransaction(on: volume) { return open }
        return try edit.guest.fileSystem(on: volume)
    }
}

extension GuestEdit {
    /// The tree as it will be.
    package var tree: EditedTree { EditedTree(edit: self) }

    /// Where a name is, or would be, and can be changed.
    struct Place {
        let directory: GuestFile
        let name: [UInt8]
        var path: GuestPath { directory.path.appending(name) }
    }

    /// The file at a path, or nil.
    func find(_ path: GuestPath, followLast: Bool) throws(StorageError) -> GuestFile? {
        path.bytes.isEmpty ? nil : try tree.walk(path, followLast: followLast)
    }

    /// The file at a path, which can be changed there.
    func require(_ path: GuestPath, followLast: Bool) throws(StorageError) -> GuestFile {
        guard let file = try find(path, followLast: followLast) else {
            if path.endsInSlash, try find(path.withoutSlash, followLast: false) != nil {
                throw noDirectory(path.withoutSlash)
            }
            throw noSuchFile(path)
        }
        try requireNoObstacle(at: file.path)
        return file
    }

    /// Throws where what the fstab mounts is missing.
    func requireNoObstacle(at path: GuestPath) throws(StorageError) {
        if let obstacle = obstacles[path] { throw obstacle }
    }

    /// The same for everything below a path too.
    func requireNoObstacle(below path: GuestPath) throws(StorageError) {
        let inTheWay = obstacles.filter { $0.key == path || $0.key.isBelow(path) }
        if let first = inTheWay.min(by: { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }) {
            throw first.value
        }
    }

    /// A name in a directory. Throws where what is mounted on the one or the other is missing.
    func place(of name: [UInt8], in directory: GuestFile) throws(StorageError) -> Place {
        let place = Place(directory: directory, name: name)
        guard !obstacles.isEmpty else { return place }
        try requireNoObstacle(at: directory.path)
        try requireNoObstacle(at: place.path)
        return place
    }

    /// Throws for a path that names something else than a directory as one, by a slash at its end: what is removed or
    /// moved by it would be a link, or a file.
    func requireDirectoryBeforeSlash(_ path: GuestPath) throws(StorageError) {
        guard path.endsInSlash else { return }
        let file = try require(path.withoutSlash, followLast: false)
        guard file.attributes.type == .directory else { throw noDirectory(path.withoutSlash) }
    }

    /// Throws for a path that ends in "." or "..", by which nothing can be removed or moved.
    func requireLastName(_ path: GuestPath) throws(StorageError) {
        let last = path.lastComponent
        guard last != GuestPath.here, last != GuestPath.above, !path.bytes.isEmpty else {
            throw error(.misuse, .badPath, "\(path.shellText) does not end in a name")
        }
    }

    private func noDirectory(_ path: GuestPath) -> StorageError {
        error(.refused, .notADirectory, "\(path.shellText) is no directory")
    }

    /// The directory that a path's last name is in, and that name. Only the name of a directory can have a slash behind
    /// it.
    func place(of path: GuestPath, isForDirectory: Bool = false) throws(StorageError) -> Place {
        guard isForDirectory || !path.endsInSlash else { throw noDirectory(path) }
        var parts = path.components
        guard let name = parts.popLast(), name != GuestPath.here, name != GuestPath.above else {
            throw error(.misuse, .badPath, "\(path.shellText) does not end in a name")
        }
        let directoryPath = GuestPath(names: parts)
        guard let directory = try find(directoryPath, followLast: true) else {
            throw noSuchFile(directoryPath)
        }
        guard directory.attributes.type == .directory else {
            throw noDirectory(directoryPath)
        }
        return try place(of: name, in: directory)
    }

    /// Throws for a place where a volume is mounted or missing, or that holds one further down.
    func requireNoMount(at path: GuestPath) throws(StorageError) {
        try requireNoObstacle(below: path)
        let inTheWay = mounts.filter { $0.key == path || $0.key.isBelow(path) }
        guard let (mount, volume) = inTheWay.min(by: { $0.key.bytes.count < $1.key.bytes.count }) else {
            return
        }
        throw error(
            .refused, .mountPoint,
            "\(guest.volumes[volume].name) is mounted at \(mount.shellText); change the volume by itself, or unmount it "
                + "in the guest", remedies: [.nameVolume])
    }

    func noSuchFile(_ path: GuestPath) -> StorageError {
        error(.refused, .noSuchFile, "there is no \(path.shellText) in the guest")
    }

    func error(
        _ kind: StorageError.Kind, _ code: GuestCode, _ message: String, remedies: [Remedy] = []
    ) -> StorageError {
        StorageError(kind, code, message, path: guest.mainPath, remedies: remedies)
    }

    /// Whether a file system says that a name is taken.
    func saysTaken(_ error: StorageError) -> Bool {
        guest.isFileSystemError(error) && error.isCode(FileTreeCode.nameTaken)
    }

    /// Adds the path that was asked for to what a file system says about an inode, and the image.
    func naming<Result>(
        _ path: GuestPath, _ body: () throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        do throws(StorageError) {
            return try body()
        } catch {
            var named = error.inFile(guest.mainPath ?? "")
            if guest.isFileSystemError(error) {
                named.message = "\(path.shellText): \(error.message)"
            }
            throw named
        }
    }
}
