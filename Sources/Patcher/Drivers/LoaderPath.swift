internal import GuestTree
internal import Initramfs
internal import Storage

/// Where the paths of a boot loader lead.
enum LoaderPath {
    /// The regular file that the loader which reads `menu` finds at `path`: "(hd0,0)/boot/x", "($root)/x", "/x" of the
    /// volume that the menu lies on, "x" beside the menu. Nil where there is none, or a variable stands in the path.
    static func file(_ path: String, of menu: ScannedFile, in guest: LinuxSystem) throws(StorageError)
        -> GuestFile?
    {
        var rest = Substring(path)
        if rest.first == "(", let end = rest.firstIndex(of: ")") { rest = rest[rest.index(after: end)...] }
        guard !rest.isEmpty, !rest.contains("$") else { return nil }
        guard rest.first == "/" else {
            let parts = menu.file.path.components.dropLast()
            return try guest.tree.regularFile(GuestPath(names: parts).appending(rest.utf8))
        }
        for base in bases(of: menu, in: guest) {
            if let file = try guest.tree.regularFile(GuestPath(base + rest)) { return file }
        }
        return nil
    }

    /// Mount points that a loader may count its paths from, the volume of its own menu's first.
    private static func bases(of menu: ScannedFile, in guest: LinuxSystem) -> [String] {
        var bases: [String] = []
        for mount in guest.mounts where mount.volume == menu.file.volume { bases.append(mount.path) }
        bases += ["", "/boot", "/boot/efi", "/efi"]
        var result: [String] = []
        for base in bases {
            let base = base == "/" ? "" : base
            if !result.contains(base) { result.append(base) }
        }
        return result
    }
}

extension ByteSource {
    /// A regular file of the guest's tree.
    init(_ file: GuestFile, in tree: any GuestTree) {
        self.init(byteCount: file.attributes.size) { (target, offset) throws(StorageError) in
            var done = 0
            while done < target.byteCount {
                var rest = target.part(done..<target.byteCount)
                let count = try tree.read(file, into: &rest, at: offset + UInt64(done))
                guard count > 0 else {
                    throw StorageError(
                        .corrupt, InitramfsCode.cutShort, "the file ends before its length", offset: offset,
                        path: file.displayPath)
                }
                done += count
            }
        }
    }

    /// Files as a loader puts them into memory: each from a multiple of four on.
    static func loaded(_ files: [ByteSource]) -> ByteSource? {
        files.dropFirst().reduce(files.first) { joined, next in
            guard let joined else { return next }
            let padding = Int((4 - joined.byteCount % 4) % 4)
            let padded =
                padding == 0
                ? joined : ByteSource.joined(joined, ByteSource([UInt8](repeating: 0, count: padding)))
            return ByteSource.joined(padded, next)
        }
    }
}
