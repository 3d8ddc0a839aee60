internal import Storage

/// The tree, but for the links that an archive brought: a walk through one throws `TarCode.throughLink`.
struct ArchiveSteps: PathSteps {
    let tree: EditedTree
    let links: Set<FileKey>

    func mountedVolume(at path: GuestPath) -> Int? { tree.mountedVolume(at: path) }

    func obstacle(at path: GuestPath) -> StorageError? { tree.obstacle(at: path) }

    func rootDirectory(ofVolume volume: Int) -> FileID? { tree.rootDirectory(ofVolume: volume) }

    func lookUp(_ name: [UInt8], in directory: FileKey) throws(StorageError) -> FileID? {
        try tree.lookUp(name, in: directory)
    }

    func attributes(of file: FileKey) throws(StorageError) -> FileAttributes {
        try tree.attributes(of: file)
    }

    func symbolicLinkTarget(of file: FileKey) throws(StorageError) -> [UInt8] {
        guard !links.contains(file) else {
            throw StorageError(.refused, TarCode.throughLink, "a link of the archive")
        }
        return try tree.symbolicLinkTarget(of: file)
    }
}
