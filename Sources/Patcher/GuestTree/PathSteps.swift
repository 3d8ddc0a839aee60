package import Storage

/// What a walk along a path asks of a guest's volumes: those that read the tree as it is, and those that read it as
/// an edit will leave it, give the same walk different answers.
package protocol PathSteps {
    /// Which volume is mounted at a path without links; nil: none.
    func mountedVolume(at path: [UInt8]) -> Int?
    /// A volume's root; nil when it cannot be read: what lies below is then not there.
    func rootDirectory(ofVolume volume: Int) -> FileID?
    /// The file of that name in a directory.
    func lookUp(_ name: [UInt8], in directory: FileKey) throws(StorageError) -> FileID?
    /// What stat tells.
    func attributes(of file: FileKey) throws(StorageError) -> FileAttributes
    /// Where a link points.
    func symbolicLinkTarget(of file: FileKey) throws(StorageError) -> [UInt8]
}

/// Linux gives up after this many links in one walk.
private let linkLimit = 40
private let pathLimit = 4096
private let slash = UInt8(ascii: "/")
private let dot = UInt8(ascii: ".")

extension PathSteps {
    /// The file at an absolute path: links followed (the last one only when `followLast`), mounts crossed, as the
    /// guest's kernel would. Nil when nothing is there.
    package func walk(_ path: [UInt8], followLast: Bool) throws(StorageError) -> GuestFile? {
        guard let root = place(ofMount: [slash]) else { return nil }
        var stack = [root]
        var pending = Array(components(path).reversed())
        var linksLeft = linkLimit
        while let name = pending.popLast() {
            if name == [dot] { continue }
            if name == [dot, dot] {
                if stack.count > 1 { stack.removeLast() }
                continue
            }
            guard let here = stack.last, try attributes(of: here.key).type == .directory,
                let id = try lookUp(name, in: here.key)
            else { return nil }
            let key = FileKey(volume: here.key.volume, id: id)
            let type = try attributes(of: key).type
            if type == .symbolicLink, followLast || !pending.isEmpty {
                linksLeft -= 1
                let target = try symbolicLinkTarget(of: key)
                guard linksLeft >= 0, target.count <= pathLimit else { return nil }
                if target.first == slash { stack = [root] }
                pending += components(target).reversed()
                continue
            }
            let childPath = (here.path == [slash] ? [] : here.path) + [slash] + name
            guard childPath.count <= pathLimit else { return nil }
            if type == .directory, mountedVolume(at: childPath) != nil {
                guard let mounted = place(ofMount: childPath) else { return nil }
                stack.append(mounted)
            } else {
                stack.append(Place(path: childPath, key: key))
            }
        }
        guard let found = stack.last else { return nil }
        return GuestFile(
            path: found.path, volume: found.key.volume, id: found.key.id,
            attributes: try attributes(of: found.key))
    }

    private func place(ofMount path: [UInt8]) -> Place? {
        guard let volume = mountedVolume(at: path), let root = rootDirectory(ofVolume: volume) else {
            return nil
        }
        return Place(path: path, key: FileKey(volume: volume, id: root))
    }

    private func components(_ path: [UInt8]) -> [[UInt8]] {
        path.split(separator: slash).map(Array.init)
    }
}

private struct Place {
    var path: [UInt8]
    var key: FileKey
}
