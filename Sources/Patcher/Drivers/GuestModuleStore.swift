internal import GuestTree
internal import KernelModules
internal import Storage

/// A guest's tree as the place that its kernels' modules are read from.
final class GuestModuleStore: ModuleStore {
    private let tree: any GuestTree
    // A lookup in the tree costs a walk, and modules are asked for in pieces.
    private var last: (path: String, file: GuestFile)?

    init(_ tree: any GuestTree) { self.tree = tree }

    func entries(of path: String) throws(StorageError) -> [ModuleStoreEntry]? {
        guard let directory = try tree.find(GuestPath(path)), directory.attributes.type == .directory else {
            return nil
        }
        var result: [ModuleStoreEntry] = []
        for entry in try tree.entries(of: directory) {
            let name = String(hostBytes: entry.name)
            // ext2 of old tells the kind in the inode alone.
            var type = entry.type
            if type == nil {
                let path = directory.path.appending(entry.name)
                type = try tree.find(path, followLast: false)?.attributes.type
            }
            result.append(ModuleStoreEntry(name: name, isDirectory: type == .directory))
        }
        return result
    }

    func byteCount(of path: String) throws(StorageError) -> UInt64? { try file(path)?.attributes.size }

    func read(
        _ path: String, into target: inout MutableRawSpan, at offset: UInt64
    ) throws(StorageError) -> Int {
        guard let file = try file(path) else { return 0 }
        return try tree.read(file, into: &target, at: offset)
    }

    private func file(_ path: String) throws(StorageError) -> GuestFile? {
        if let last, last.path == path { return last.file }
        guard let found = try tree.regularFile(GuestPath(path)) else { return nil }
        last = (path, found)
        return found
    }
}
