internal import GuestTree
internal import Storage

extension MountedSystem {
    /// The volume of the boot menu where no row of the fstab mounts one: the loader finds it without any. `taken` are places
    /// that the fstab speaks of. Nil where the root has a menu of its own, or several volumes have one.
    static func unlistedBoot(
        beside mounts: [LinuxSystem.Mount], taken: [MissingMount], volumes: [Volume], rootVolume: Int,
        _ fileSystems: [Int: any FileSystem], _ damage: TreeDamage?
    ) throws(StorageError) -> LinuxSystem.Mount? {
        guard !mounts.contains(where: { $0.path == "/boot" }), !taken.contains(where: { $0.path == "/boot" })
        else { return nil }
        let tree = FileSystemTree(
            mounts: mounts.map {
                .init(path: GuestPath($0.path), volume: $0.volume, fileSystem: fileSystems[$0.volume])
            }, noting: damage)
        if try holdsMenu(tree, below: "/boot") { return nil }
        var found: [Int] = []
        for volume in volumes.indices {
            guard let fileSystem = fileSystems[volume], !volumes[volume].isEFISystemPartition,
                !mounts.contains(where: { $0.volume == volume })
            else { continue }
            let own = FileSystemTree(volume: volume, fileSystem, noting: damage)
            let isRoot = try own.exists("/etc")
            if !isRoot, try holdsMenu(own, below: "") { found.append(volume) }
        }
        // Another disk's may be a copy's, or another system's.
        if found.count > 1, let disk = volumes[rootVolume].disk {
            found = found.filter { volumes[$0].disk == disk }
        }
        guard found.count == 1, let volume = found.first else { return nil }
        return LinuxSystem.Mount(path: "/boot", volume: volume, isReadable: true)
    }

    /// Whether what a system has as /boot has a boot loader's menu there.
    private static func holdsMenu(_ tree: FileSystemTree, below base: String) throws(StorageError) -> Bool {
        for menu in ConfigurationSyntaxes.all.compactMap({ $0.bootMenu }) {
            for place in menu.places {
                switch place {
                case .path(let path):
                    guard let rest = path.belowBoot else { continue }
                    if try tree.exists(GuestPath(base + rest)) { return true }
                case .directory(let path, let prefix, let suffix):
                    guard let rest = path.belowBoot else { continue }
                    let names = try tree.names(in: GuestPath(base + rest))
                    if names.contains(where: { $0.hasPrefix(prefix) && $0.hasSuffix(suffix) }) { return true }
                case .dropIns, .vendor: continue
                }
            }
        }
        return false
    }
}

extension String {
    /// What stands behind "/boot" of a path that lies there; nil elsewhere, and for what belongs to the EFI system partition or to a
    /// /boot that holds a directory of its own name.
    fileprivate var belowBoot: String? {
        guard hasPrefix("/boot/"), !hasPrefix("/boot/efi/"), !hasPrefix("/boot/boot/") else { return nil }
        return String(dropFirst(5))
    }
}
