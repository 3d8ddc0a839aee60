internal import GuestTree
internal import Storage

extension EFISystemPartition {
    /// The partition of a guest, read by its own file system; nil where there is none, or it cannot be read.
    static func find(
        _ mounted: MountedSystem, _ fileSystems: [Int: any FileSystem]
    ) throws(StorageError) -> EFISystemPartition? {
        let volumes = mounted.frame.volumes
        let stated = LinuxSystem.efiSystemPartition(
            mounts: mounted.mounts, volumes: volumes, root: mounted.rootVolume)
        let found = stated == nil ? try unmarked(mounted, fileSystems) : stated
        guard let volume = found, let fileSystem = fileSystems[volume] else { return nil }
        let place = mounted.mounts.first { $0.volume == volume }.map { GuestPath($0.path) }
        var partition = try EFISystemPartition(
            volume: volume, FileSystemTree(volume: volume, fileSystem, noting: mounted.damage), place: place)
        for index in volumes.indices where index != volume && volumes[index].isEFISystemPartition {
            guard let other = fileSystems[index],
                try !FileSystemTree(volume: index, other, noting: mounted.damage).names(in: "/EFI/BOOT")
                    .isEmpty
            else { continue }
            partition.others.append(volumes[index].name)
        }
        // systemd-boot looks there too.
        if volumes.contains(where: \.isExtendedBoot) { partition.hidesEntries = true }
        let finder = GRUBTrailFinder(
            volumes: mounted.frame.volumes, fileSystems: fileSystems, home: volume, damage: mounted.damage)
        for loader in partition.loaders where loader.kind == .grub {
            let folder = loader.names.dropLast().map { "/" + $0 }.joined()
            partition.trails[loader.names] = try finder.trail(of: loader.grub, folder: folder)
        }
        return partition
    }

    /// A partition that no table calls one and no row mounts: firmware looks at what it holds. On the root's disk alone.
    private static func unmarked(
        _ mounted: MountedSystem, _ fileSystems: [Int: any FileSystem]
    ) throws(StorageError) -> Int? {
        let volumes = mounted.frame.volumes
        let disk = LinuxSystem.disk(of: volumes[mounted.rootVolume])
        for index in volumes.indices where volumes[index].identity.kind.isReadByFirmware {
            guard let fileSystem = fileSystems[index], disk != nil,
                LinuxSystem.disk(of: volumes[index]) == disk,
                let efi = try FileSystemTree(volume: index, fileSystem, noting: mounted.damage).find("/EFI"),
                efi.attributes.type == .directory
            else { continue }
            return index
        }
        return nil
    }
}

extension VolumeIdentity.Kind {
    /// UEFI reads files of FAT and, but for discs, of nothing else (UEFI 2.10, 13.3).
    var isReadByFirmware: Bool { self == .vfat }
}

extension LinuxSystem {
    /// Where a guest mounts it, else by the partition table: of several the one on the root's disk.
    static func efiSystemPartition(mounts: [Mount], volumes: [Volume], root: Int) -> Int? {
        for path in ["/boot/efi", "/efi"] {
            if let mount = mounts.first(where: { $0.path == path }) { return mount.volume }
        }
        if let boot = mounts.first(where: { $0.path == "/boot" }),
            volumes[boot.volume].isEFISystemPartition
        {
            return boot.volume
        }
        let all = volumes.indices.filter { volumes[$0].isEFISystemPartition }
        return all.first { disk(of: volumes[$0]) == disk(of: volumes[root]) } ?? all.first
    }

    /// The disk that a volume lies on; nil for one that may lie on several.
    static func disk(of volume: Volume) -> Int? {
        switch volume.location {
        case .wholeDisk(let disk), .partition(let disk, _): disk
        case .logicalVolume, .array: nil
        }
    }

    /// Where the kernels of menus lie, by their paths in the menus; nil for one that is not there.
    static func kernelFiles(
        of files: [ScannedFile], in tree: some GuestTree
    ) throws(StorageError) -> [String: String?] {
        var found: [String: String?] = [:]
        for file in files {
            let home = loaderHome(of: file.file.displayPath)
            for kernel in file.bootEntries.compactMap(\.kernel) where found.count < kernelLimit {
                guard found[home + kernel] == nil else { continue }
                var path = Substring(kernel)
                if path.first == "(", let end = path.firstIndex(of: ")") {
                    path = path[path.index(after: end)...]
                }
                guard path.first == "/" else { continue }
                found[home + kernel] = .some(nil)
                for base in [home, "", "/boot", "/boot/efi", "/efi"] {
                    guard let file = try tree.find(GuestPath(base + path)),
                        file.attributes.type != .regular || file.attributes.size > 0
                    else { continue }
                    found[home + kernel] = file.displayPath
                    break
                }
            }
        }
        return found
    }

    /// Where the partition of a menu on the EFI system partition is mounted, from which its paths count; empty for others.
    static func loaderHome(of menu: String) -> String {
        ["/boot/efi", "/efi"].first { menu.hasPrefix($0 + "/") } ?? ""
    }

    private static let kernelLimit = 100
}
