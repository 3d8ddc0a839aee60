package import Storage

/// The guest's tree over the file systems of its volumes: a walk by components that follows symbolic links and
/// steps over mounts as the guest's kernel would.
package struct FileSystemTree: GuestTree {
    /// A volume at its place in the tree.
    package struct Mount: Sendable {
        /// "/" or a path without a trailing slash.
        package var path: [UInt8]
        /// Index of the volume.
        package var volume: Int
        /// Its file system; nil when it cannot be read: what lies below is then not there.
        package var fileSystem: (any FileSystem)?

        /// Makes a mount.
        package init(path: [UInt8], volume: Int, fileSystem: (any FileSystem)?) {
            self.path = path
            self.volume = volume
            self.fileSystem = fileSystem
        }
    }

    private let mounts: [[UInt8]: Mount]
    private let fileSystems: [Int: any FileSystem]

    /// Linux gives up after this many links in one walk.
    private static let linkLimit = 40
    private static let pathLimit = 4096

    /// A tree of these mounts, one of them "/".
    package init(mounts: [Mount]) {
        self.mounts = Dictionary(mounts.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        fileSystems = Dictionary(
            mounts.compactMap { mount in mount.fileSystem.map { (mount.volume, $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    private struct Place {
        var path: [UInt8]
        var volume: Int
        var fileSystem: any FileSystem
        var id: FileID
    }

    package func find(_ path: [UInt8], followLast: Bool) throws(StorageError) -> GuestFile? {
        guard let root = place(ofMount: [slash]) else { return nil }
        var stack = [root]
        var pending = Array(components(path).reversed())
        var linksLeft = Self.linkLimit
        while let name = pending.popLast() {
            if name == [dot] { continue }
            if name == [dot, dot] {
                if stack.count > 1 { stack.removeLast() }
                continue
            }
            guard let here = stack.last, try here.fileSystem.attributes(of: here.id).type == .directory,
                let id = try here.fileSystem.lookUp(name, in: here.id)
            else { return nil }
            let type = try here.fileSystem.attributes(of: id).type
            if type == .symbolicLink, followLast || !pending.isEmpty {
                linksLeft -= 1
                let target = try here.fileSystem.symbolicLinkTarget(of: id)
                guard linksLeft >= 0, target.count <= Self.pathLimit else { return nil }
                if target.first == slash { stack = [root] }
                pending += components(target).reversed()
                continue
            }
            let childPath = (here.path == [slash] ? [] : here.path) + [slash] + name
            guard childPath.count <= Self.pathLimit else { return nil }
            if type == .directory, mounts[childPath] != nil {
                guard let mounted = place(ofMount: childPath) else { return nil }
                stack.append(mounted)
            } else {
                stack.append(Place(path: childPath, volume: here.volume, fileSystem: here.fileSystem, id: id))
            }
        }
        guard let found = stack.last else { return nil }
        let attributes = try found.fileSystem.attributes(of: found.id)
        return GuestFile(path: found.path, volume: found.volume, id: found.id, attributes: attributes)
    }

    package func entries(of directory: GuestFile) throws(StorageError) -> [DirectoryEntry] {
        guard let fileSystem = fileSystems[directory.volume] else { return [] }
        return try fileSystem.entries(of: directory.id)
    }

    package func contents(of file: GuestFile, limit: Int) throws(StorageError) -> [UInt8] {
        guard let fileSystem = fileSystems[file.volume] else { return [] }
        return try fileSystem.contents(of: file.id, limit: limit)
    }

    package func linkTarget(of link: GuestFile) throws(StorageError) -> [UInt8] {
        guard let fileSystem = fileSystems[link.volume] else { return [] }
        return try fileSystem.symbolicLinkTarget(of: link.id)
    }

    private func place(ofMount path: [UInt8]) -> Place? {
        guard let mount = mounts[path], let fileSystem = mount.fileSystem else { return nil }
        return Place(path: path, volume: mount.volume, fileSystem: fileSystem, id: fileSystem.rootDirectory)
    }

    private func components(_ path: [UInt8]) -> [[UInt8]] {
        path.split(separator: slash).map(Array.init)
    }
}

private let slash = UInt8(ascii: "/")
private let dot = UInt8(ascii: ".")
