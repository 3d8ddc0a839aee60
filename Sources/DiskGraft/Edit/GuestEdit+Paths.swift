internal import GuestTree
internal import Patcher
internal import Storage

/// A guest's tree as the edit will leave it.
struct EditedTree: PathSteps {
    let edit: GuestEdit

    func mountedVolume(at path: GuestPath) -> Int? { edit.mounts[path] }

    func rootDirectory(ofVolume volume: Int) -> FileID? {
        try? edit.guest.fileSystem(on: volume).rootDirectory
    }

    func lookUp(_ name: [UInt8], in directory: FileKey) throws(StorageError) -> FileID? {
        try files(on: directory.volume).lookUp(name, in: directory.id)
    }

    func attributes(of file: FileKey) throws(StorageError) -> FileAttributes {
        try files(on: file.volume).attributes(of: file.id)
    }

    func symbolicLinkTarget(of file: FileKey) throws(StorageError) -> [UInt8] {
        try files(on: file.volume).symbolicLinkTarget(of: file.id)
    }

    func entries(of directory: FileKey) throws(StorageError) -> [DirectoryEntry] {
        try files(on: directory.volume).entries(of: directory.id)
    }

    func extendedAttributes(of file: FileKey) throws(StorageError) -> [ExtendedAttribute] {
        try files(on: file.volume).extendedAttributes(of: file.id)
    }

    func contents(of file: FileKey, limit: Int) throws(StorageError) -> [UInt8] {
        try files(on: file.volume).contents(of: file.id, limit: limit)
    }

    /// A volume's files as the open transaction will leave them, or as they are: reading begins none.
    private func files(on volume: Int) throws(StorageError) -> any FileTree {
        if let open = edit.openTransaction(on: volume) { return open }
        return try edit.guest.fileSystem(on: volume)
    }
}

extension GuestEdit {
    var tree: EditedTree { EditedTree(edit: self) }

    /// Where a name is, or would be.
    struct Place {
        var directory: GuestFile
        var name: [UInt8]
        var path: GuestPath { directory.path.appending(name) }
    }

    /// The file at a path, or nil.
    func find(_ path: GuestPath, followLast: Bool) throws(StorageError) -> GuestFile? {
        try tree.walk(path, followLast: followLast)
    }

    /// The file at a path.
    func require(_ path: GuestPath, followLast: Bool) throws(StorageError) -> GuestFile {
        guard let file = try find(path, followLast: followLast) else { throw noSuchFile(path) }
        return file
    }

    /// The directory that a path's last name is in, and that name.
    func place(of path: GuestPath) throws(StorageError) -> Place {
        var parts = path.components
        guard let name = parts.popLast(), name != GuestPath.here, name != GuestPath.above else {
            throw error(.misuse, .badPath, "\(path.shellText) does not end in a name")
        }
        let directoryPath = GuestPath(names: parts)
        guard let directory = try find(directoryPath, followLast: true) else {
            throw noSuchFile(directoryPath)
        }
        guard directory.attributes.type == .directory else {
            throw error(.refused, .notADirectory, "\(directoryPath.shellText) is no directory")
        }
        return Place(directory: directory, name: name)
    }

    /// Throws for a place where a volume is mounted, or that holds one further down.
    func requireNoMount(at path: GuestPath) throws(StorageError) {
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
        StorageError(kind, code, message, path: guest.images.first?.path, remedies: remedies)
    }

    /// Whether a file system says that a name is taken.
    func saysTaken(_ error: StorageError) -> Bool {
        guest.registry.isFileSystemError(error) && error.code == GuestCode.exists.rawValue
    }

    /// Adds the path that was asked for to what a file system says about an inode, and the image.
    func naming<Result>(
        _ path: GuestPath, _ body: () throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        do throws(StorageError) {
            return try body()
        } catch {
            var named = error.inFile(guest.images.first?.path ?? "")
            if guest.registry.isFileSystemError(error) {
                named.message = "\(path.shellText): \(error.message)"
            }
            throw named
        }
    }
}
