internal import GuestTree
internal import Storage

extension MountedSystem {
    /// What a guest's system mounts without a row of the fstab: the EFI system partition on `/efi`, `/boot/efi` or `/boot`
    /// (systemd-gpt-auto-generator(8)), the first of them that is there and holds nothing. `taken` are places that the fstab speaks of.
    static func automaticMounts(
        beside mounts: [LinuxSystem.Mount], taken: [MissingMount], volumes: [Volume], rootVolume: Int,
        _ fileSystems: [Int: any FileSystem], _ damage: TreeDamage?
    ) throws(StorageError) -> [LinuxSystem.Mount] {
        let disk = LinuxSystem.disk(of: volumes[rootVolume])
        let tree = FileSystemTree(
            mounts: mounts.map {
                .init(path: GuestPath($0.path), volume: $0.volume, fileSystem: fileSystems[$0.volume])
            }, noting: damage)
        var found: [LinuxSystem.Mount] = []
        func isFree(_ path: String) throws(StorageError) -> Bool {
            guard !mounts.contains(where: { $0.path == path }), !taken.contains(where: { $0.path == path }),
                !found.contains(where: { $0.path == path }),
                let place = try tree.find(GuestPath(path)), place.attributes.type == .directory
            else { return false }
            return try tree.entries(of: place).isEmpty && tree.damage(of: place) == nil
        }
        func mount(_ isWanted: (Volume) -> Bool, on paths: [String]) throws(StorageError) {
            guard
                let volume = volumes.indices.first(where: {
                    isWanted(volumes[$0]) && fileSystems[$0] != nil
                        && (disk == nil || LinuxSystem.disk(of: volumes[$0]) == disk)
                }), !mounts.contains(where: { $0.volume == volume })
            else { return }
            for path in paths where try isFree(path) {
                found.append(LinuxSystem.Mount(path: path, volume: volume, isReadable: true))
                return
            }
        }
        try mount(\.isEFISystemPartition, on: ["/efi", "/boot/efi", "/boot"])
        return found
    }
}
