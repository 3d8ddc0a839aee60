internal import GuestTree
internal import Storage

/// Which volume a file lies on that a GRUB's menu names by a device, or behind a command that sets one.
struct IncludedPlaces {
    /// A file that a menu reads.
    struct Found {
        /// Its path, below the volume's name where no row of the fstab mounts that.
        var path: String
        var file: GuestFile
        /// The tree to read it from; nil: the guest's own.
        var tree: FileSystemTree?
    }

    private let roots: LoaderRoots
    private let mounts: [LinuxSystem.Mount]
    /// The volumes that can be read and are mounted nowhere; none beside another system, which may own them.
    private let others: [Int: FileSystemTree]
    private let names: [String]

    /// `fileSystems`: those of all volumes that may be read.
    init(_ mounted: MountedSystem, _ roots: LoaderRoots, _ fileSystems: [Int: any FileSystem]) {
        self.roots = roots
        mounts = mounted.mounts
        names = mounted.frame.volumes.map(\.name)
        let own = Set(mounts.map(\.volume))
        others = Dictionary(
            uniqueKeysWithValues: fileSystems.filter { !own.contains($0.key) }.map {
                ($0.key, FileSystemTree(volume: $0.key, $0.value, noting: mounted.damage))
            })
    }

    /// The file; nil where none is found. Where no device is told, the guest's own of that path.
    func find(
        _ word: String, namedIn menu: ScannedFile, _ tree: some GuestTree
    ) throws(StorageError) -> Found? {
        guard let (place, path) = place(of: word, in: menu) else {
            guard let path = try IncludedPath.find(word, namedIn: menu, tree) else { return nil }
            return try tree.regularFile(GuestPath(path)).map { Found(path: path, file: $0) }
        }
        guard case .volume(let volume) = place, path.first == "/" else { return nil }
        for mount in mounts where mount.volume == volume {
            let inTree = (mount.path == "/" ? "" : mount.path) + path
            // Linux follows links to other volumes, GRUB does not.
            guard let file = try tree.regularFile(GuestPath(inTree)), file.volume == volume else { continue }
            return Found(path: inTree, file: file)
        }
        guard let other = others[volume], var file = try other.regularFile(GuestPath(String(path))) else {
            return nil
        }
        file.path = GuestPath("/(\(names[volume]))\(file.displayPath)")
        return Found(path: file.displayPath, file: file, tree: other)
    }

    /// The volume that all ways to the file lead to, and its path there; nil where that is not told.
    private func place(
        of word: String, in menu: ScannedFile
    ) -> (place: LoaderRoots.Place, path: Substring)? {
        guard menu.syntax.grub2Text != nil || menu.syntax.grubLegacyText != nil,
            word.first.map({ "(/".contains($0) }) == true
        else { return nil }
        let plain = word.first == "(" ? word[(word.firstIndex(of: ")") ?? word.startIndex)...] : word[...]
        guard !plain.contains("$") else { return nil }
        let readers = menu.bootEntries.filter { $0.menuFile == word }
        let found = readers.map { roots.place(of: word, 0, of: $0, in: menu, inherited: []) }
        if let first = found.first {
            let isOne = found.allSatisfy { $0.place == first.place && $0.path == first.path }
            return isOne && first.place != .unknown ? first : nil
        }
        guard let place = roots.place(ofDeviceIn: word, in: menu), place.place != .unknown else { return nil }
        return place
    }
}
