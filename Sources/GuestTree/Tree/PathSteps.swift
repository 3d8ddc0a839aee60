package import Storage

/// What a walk along a path asks of a guest's volumes: those that read the tree as it is, and those that read it as
/// an edit will leave it, give the same walk different answers.
package protocol PathSteps {
    /// Which volume is mounted at a path without links; nil: none.
    func mountedVolume(at path: GuestPath) -> Int?
    /// A volume's root; nil when it cannot be read: what lies below is then not there.
    func rootDirectory(ofVolume volume: Int) -> FileID?
    /// Why what is mounted at a path without links is not in the tree; nil: nothing is missing there. The directory
    /// below the mount then stands for it, and nothing in it can be reached.
    func obstacle(at path: GuestPath) -> StorageError?
    /// The file of that name in a directory.
    func lookUp(_ name: [UInt8], in directory: FileKey) throws(StorageError) -> FileID?
    /// What stat tells.
    func attributes(of file: FileKey) throws(StorageError) -> FileAttributes
    /// Where a link points.
    func symbolicLinkTarget(of file: FileKey) throws(StorageError) -> [UInt8]
}

/// Linux gives up after this many links in one walk.
private let linkLimit = 40
/// PATH_MAX: no link's target and no mount point is longer. Paths may be: trees grow deeper than one call names.
private let pathLimit = 4096

extension PathSteps {
    /// Nothing is missing.
    package func obstacle(at path: GuestPath) -> StorageError? { nil }

    /// The file at an absolute path: links followed (the last one only when `followLast`), mounts crossed, as the
    /// guest's kernel would. Nil when nothing is there, and when a path that ends in a slash leads to no directory;
    /// throws the obstacle to a path that leads past one.
    package func walk(_ path: GuestPath, followLast: Bool) throws(StorageError) -> GuestFile? {
        guard let root = key(ofMount: .root) else { return nil }
        var stack = [Place(key: root, pathLength: 0)]
        // The path to the last of the stack without links; empty for "/". One for all: each its own would take
        // the square of the depth.
        var reached: [UInt8] = []
        var pending = Array(path.components.reversed())
        var linksLeft = linkLimit
        // A slash at the end asks for the directory, be it through a link.
        let wantsDirectory = path.bytes.last == GuestPath.slash
        while let name = pending.popLast() {
            guard let here = stack.last, try attributes(of: here.key).type == .directory else { return nil }
            if name == GuestPath.here { continue }
            if name == GuestPath.above {
                if stack.count > 1 { stack.removeLast() }
                reached.removeSubrange((stack.last?.pathLength ?? 0)...)
                continue
            }
            if here.isClosed, let obstacle = obstacle(at: GuestPath(reached)) { throw obstacle }
            guard let id = try lookUp(name, in: here.key) else {
                guard let mounted = missingMountPoint(reached, name) else { return nil }
                reached += [GuestPath.slash] + name
                stack.append(Place(key: mounted, pathLength: reached.count))
                continue
            }
            let key = FileKey(volume: here.key.volume, id: id)
            let type = try attributes(of: key).type
            if type == .symbolicLink, followLast || wantsDirectory || !pending.isEmpty {
                linksLeft -= 1
                let target = GuestPath(try symbolicLinkTarget(of: key))
                guard linksLeft >= 0, target.bytes.count <= pathLimit else { return nil }
                if target.isAbsolute {
                    stack.removeSubrange(1...)
                    reached = []
                }
                pending += target.components.reversed()
                continue
            }
            reached.append(GuestPath.slash)
            reached += name
            var next = Place(key: key, pathLength: reached.count)
            if type == .directory, mayBeMount(reached) {
                let path = GuestPath(reached)
                next.isClosed = obstacle(at: path) != nil
                if mountedVolume(at: path) != nil {
                    guard let mounted = self.key(ofMount: path) else { return nil }
                    next.key = mounted
                }
            }
            stack.append(next)
        }
        guard let found = stack.last else { return nil }
        let attributes = try attributes(of: found.key)
        guard !wantsDirectory || attributes.type == .directory else { return nil }
        return GuestFile(
            path: reached.isEmpty ? .root : GuestPath(reached), volume: found.key.volume, id: found.key.id,
            attributes: attributes)
    }

    /// The file of that name in a directory, a link itself; a mounted volume's root stands for the directory below
    /// it. Nil when nothing is there, or its volume cannot be read; throws what keeps the directory from being read.
    package func child(_ name: [UInt8], of directory: GuestFile) throws(StorageError) -> GuestFile? {
        if mayBeMount(directory.path.bytes), let obstacle = obstacle(at: directory.path) { throw obstacle }
        let path = directory.path.appending(name)
        guard let id = try lookUp(name, in: directory.key) else {
            guard let mounted = missingMountPoint(directory.path == .root ? [] : directory.path.bytes, name)
            else { return nil }
            return GuestFile(
                path: path, volume: mounted.volume, id: mounted.id, attributes: try attributes(of: mounted))
        }
        var key = FileKey(volume: directory.volume, id: id)
        var attributes = try attributes(of: key)
        if attributes.type == .directory, mayBeMount(path.bytes), mountedVolume(at: path) != nil {
            guard let mounted = self.key(ofMount: path) else { return nil }
            key = mounted
            attributes = try self.attributes(of: key)
        }
        return GuestFile(path: path, volume: key.volume, id: key.id, attributes: attributes)
    }

    /// The root of what is mounted at a place where there is no directory: systemd makes one.
    private func missingMountPoint(_ directory: [UInt8], _ name: [UInt8]) -> FileKey? {
        let path = directory + [GuestPath.slash] + name
        return mayBeMount(path) ? key(ofMount: GuestPath(path)) : nil
    }

    /// Whether a path is short enough to be a mount point's.
    func mayBeMount(_ path: [UInt8]) -> Bool { path.count <= pathLimit }

    private func key(ofMount path: GuestPath) -> FileKey? {
        guard let volume = mountedVolume(at: path), let root = rootDirectory(ofVolume: volume) else {
            return nil
        }
        return FileKey(volume: volume, id: root)
    }
}

private struct Place {
    var key: FileKey
    /// How much of the path leads to it.
    var pathLength: Int
    /// What is mounted there is missing.
    var isClosed = false
}
