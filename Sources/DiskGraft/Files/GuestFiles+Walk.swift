internal import Patcher
public import Storage

extension GuestFiles {
    /// What a walk meets.
    public enum Visit: Sendable {
        /// A file; for a directory before what is in it.
        case file(File)
        /// Something that could not be read; the walk goes on behind it.
        case unreadable(path: [UInt8], StorageError)
    }

    /// No path in a walk is deeper, so that memory has an end.
    private static let depthLimit = 16384

    /// Visits `top` and everything below it in the order of names, over the guest's mounts. Symbolic links are not
    /// followed. `body` returns false to end the walk.
    public func walk(
        _ top: File, _ body: (Visit) throws(StorageError) -> Bool
    ) throws(StorageError) {
        guard try body(.file(top)), top.attributes.type == .directory else { return }
        let slash = UInt8(ascii: "/")
        // The directory that is walked: one path for all levels, each of which knows how much of it is its own.
        var path = top.path == [slash] ? [] : top.path
        // What is still to come, deepest last: recursion would trust the image's depth.
        var levels = [try level(of: top, mount: 0, pathLength: path.count)]
        // A directory has one name: with two at each level, the walk of a small image would never end. A volume may
        // be mounted in two places all the same.
        var seen: Set<FileIdentity> = [FileIdentity(top, mount: 0)]
        var mountCount = 0
        while let depth = levels.indices.last {
            try Cancellation.check()
            guard let next = levels[depth].left.popLast() else {
                levels.removeLast()
                continue
            }
            path.removeSubrange(levels[depth].pathLength...)
            path += [slash] + next.name
            do throws(StorageError) {
                let volume = levels[depth].volume
                let file = try self.file(Child(path: path, volume: volume, id: next.file))
                guard try body(.file(file)) else { return }
                guard file.attributes.type == .directory else { continue }
                var mount = levels[depth].mount
                if file.volume != volume || file.id != next.file {
                    mountCount += 1
                    mount = mountCount
                }
                guard seen.insert(FileIdentity(file, mount: mount)).inserted else {
                    throw StorageError(
                        .corrupt, layer: "guest", code: "directory-loop",
                        "\(path.shellText) contains itself or has a second name; run e2fsck")
                }
                guard levels.count <= Self.depthLimit else {
                    throw StorageError(
                        .refused, layer: "guest", code: "too-deep",
                        "\(path.shellText.prefix(200))… lies deeper than \(Self.depthLimit) levels")
                }
                levels.append(try level(of: file, mount: mount, pathLength: path.count))
            } catch {
                guard !error.isCancellation else { throw error }
                guard try body(.unreadable(path: path, error)) else { return }
            }
        }
    }

    private struct FileIdentity: Hashable {
        let mount: Int
        let volume: Int
        let id: FileID
        init(_ file: File, mount: Int) {
            self.mount = mount
            volume = file.volume
            id = file.id
        }
    }

    private struct Child {
        var path: [UInt8]
        var volume: Int
        var id: FileID
    }

    /// A directory on the way down.
    private struct Level {
        var volume: Int
        /// Which of the mounts that the walk has crossed it is below; a volume may be mounted twice.
        var mount: Int
        /// How much of the walk's path leads to it.
        var pathLength: Int
        /// Its entries that are still to come, the last by name first, so that they pop in order.
        var left: [DirectoryEntry]
    }

    private func level(of directory: File, mount: Int, pathLength: Int) throws(StorageError) -> Level {
        Level(
            volume: directory.volume, mount: mount, pathLength: pathLength,
            left: try entries(of: directory).reversed())
    }

    private func file(_ child: Child) throws(StorageError) -> File {
        if let volume = mountPoints[child.path], volume != child.volume {
            let fileSystem = try guest.fileSystem(on: volume)
            let root = fileSystem.rootDirectory
            return File(
                path: child.path, volume: volume, id: root, attributes: try fileSystem.attributes(of: root))
        }
        let fileSystem = try guest.fileSystem(on: child.volume)
        return File(
            path: child.path, volume: child.volume, id: child.id,
            attributes: try fileSystem.attributes(of: child.id))
    }

    /// The SHA-256 of a regular file's contents in hexadecimal.
    public func sha256(of file: File) throws(StorageError) -> String {
        let digest = try SHA256()
        try forEachPiece(of: file) { (bytes) throws(StorageError) in digest.update(bytes) }
        return digest.finish()
    }
}
