package import GuestTree
package import Storage

/// A system as its fstab puts it together: the root, what is mounted below it, and the tree over both.
package struct MountedSystem: Sendable {
    /// What is known of it whatever its files say.
    package let frame: GuestFrame
    /// Where each volume is mounted, the root first.
    package let mounts: [LinuxSystem.Mount]
    /// What the fstab mounts beside them and is not in the tree.
    package let missing: [MissingMount]
    /// The tree over them.
    package let tree: FileSystemTree
    /// The same, which goes on past damaged files; what it could not read is in `damage`.
    package let pastDamage: FileSystemTree
    /// What could not be read. Empty where it was made for names only, which damage stops.
    package let damage: TreeDamage
    /// What a user should know: mounts that cannot be read.
    package let notes: [String]

    /// Index of the root's volume.
    package var rootVolume: Int { frame.rootVolume }

    /// What is read besides the fstab: the release file, and what shows the hypervisor that the names come from.
    package enum Reading: Sendable {
        /// All of it: an inspection tells it.
        case everything
        /// Only what the fstab's names depend on. UUIDs, labels and logical volumes depend on nothing.
        case namesOnly
    }

    /// Puts the system together whose root lies on volume `rootVolume`. `fileSystems` holds those volumes (by index) that
    /// can be read; `diskCount` is how many disks were given.
    package init(
        rootVolume: Int, volumes: [Volume], fileSystems: [Int: any FileSystem], diskCount: Int,
        presentation: SourcePresentation, bootCode: [BootCode] = [], reading: Reading = .everything
    ) throws(StorageError) {
        let damage = TreeDamage()
        self.damage = damage
        let noted = reading == .everything ? damage : nil
        let bare = FileSystemTree(volume: rootVolume, fileSystems[rootVolume], noting: noted)
        var notes: [String] = []
        let found = try Self.fstab(in: bare, reading, &notes)
        let fstab = found ?? Fstab([])
        let isNeeded = reading == .everything || fstab.rows.contains { DeviceName($0.spec).isPositional }
        var frame = GuestFrame(
            rootVolume: rootVolume, volumes: volumes, diskCount: diskCount,
            release: isNeeded ? try OSRelease.read(bare) : nil, stated: presentation,
            tools: isNeeded ? try SourcePresentation.tools(in: bare) : nil, bootCode: bootCode)
        var missing: [MissingMount] = []
        var mounts = try Self.mounts(
            of: fstab, rootVolume, frame.resolver(fstab), fileSystems, &notes, &missing)
        if let boot = try Self.unlistedBoot(
            beside: mounts, taken: missing, volumes: volumes, rootVolume: rootVolume, fileSystems, noted)
        {
            mounts.append(boot)
            notes.append(
                "\(volumes[boot.volume].name) holds a boot menu and has no row in /etc/fstab: it is taken for /boot"
            )
        }
        if found == nil, notes.isEmpty, try bare.find("/etc/fstab", followLast: false) != nil {
            notes.append(
                "/etc/fstab is no file that can be read, so that nothing but the root is known to be mounted")
        }
        mounts += try Self.automaticMounts(
            beside: mounts, taken: missing, volumes: volumes, rootVolume: rootVolume, fileSystems, noted)
        let all = mounts
        self.mounts = all
        // A later row may mount at the same place what can be read.
        let readable = Set(all.lazy.filter(\.isReadable).map(\.path))
        self.missing = missing.filter { !readable.contains($0.path) }
        self.notes = notes
        let places = all.map {
            FileSystemTree.Mount(
                path: GuestPath($0.path), volume: $0.volume, fileSystem: fileSystems[$0.volume])
        }
        tree = FileSystemTree(mounts: places, noting: noted, readsStrictly: true)
        pastDamage = FileSystemTree(mounts: places, noting: noted)
        // The release file may be a link into a /usr of its own.
        if isNeeded, frame.release == nil { frame.release = try OSRelease.read(pastDamage) }
        self.frame = frame
    }

    /// The fstab; nil where none can be read. An inspection goes on without one that is larger than any real one, and says
    /// so; names would lead to other files without it.
    private static func fstab(
        in tree: FileSystemTree, _ reading: Reading, _ notes: inout [String]
    ) throws(StorageError) -> Fstab? {
        do throws(StorageError) {
            return try Fstab.read(in: tree)
        } catch {
            guard error.isOfBounds, reading == .everything else { throw error }
            notes.append("\(error.message): nothing but the root is known to be mounted")
            return nil
        }
    }

    /// Of several volumes with one UUID or label, as of a disk and its copy, the one beside the root is read and changed.
    private static func chosen(_ resolution: Resolution, _ root: Int, _ volumes: [Volume]) -> Resolution {
        guard case .unresolved(.shared(_, let names)) = resolution else { return resolution }
        let bearers = volumes.indices.filter { names.contains(volumes[$0].name) }
        // Of a group and its copy the first is put together.
        let disk =
            volumes[root].doubledGroup == nil
            ? volumes[root].disk : bearers.compactMap { volumes[$0].disk }.min()
        let own = bearers.filter { disk != nil && volumes[$0].disk == disk }
        return own.count == 1 ? .volume(own[0]) : resolution
    }

    private static func mounts(
        of fstab: Fstab, _ rootVolume: Int, _ resolver: DeviceResolver, _ fileSystems: [Int: any FileSystem],
        _ notes: inout [String], _ missing: inout [MissingMount]
    ) throws(StorageError) -> [LinuxSystem.Mount] {
        var mounts = [LinuxSystem.Mount(path: "/", volume: rootVolume, isReadable: true)]
        var mountedPaths: Set<String> = []
        var missingPaths: Set<String> = []
        for row in fstab.rows where row.mountPoint.hasPrefix("/") && row.mountPoint != "/" {
            try Cancellation.check()
            let path = row.mountPoint
            guard !row.isRemovableMedium, !row.isSwap, !mountedPaths.contains(path) else { continue }
            if row.isBindOfAnother, !row.isNoauto, missingPaths.insert(path).inserted {
                missing.append(
                    MissingMount(
                        path: path, device: row.spec, resolution: .notADisk, isOptional: true, isBind: true))
            }
            guard !row.options.contains("bind"), !row.options.contains("rbind") else { continue }
            let resolution = Self.chosen(resolver.resolve(DeviceName(row.spec)), rootVolume, resolver.volumes)
            func noteMissing() {
                guard !row.isNoauto, missingPaths.insert(path).inserted else { return }
                missing.append(
                    MissingMount(
                        path: path, device: row.spec, resolution: resolution,
                        isOptional: row.isNofail || row.isShare, isBind: false))
            }
            guard case .volume(let volume) = resolution, volume != rootVolume else {
                if resolution.isMissing || row.isShare { noteMissing() }
                continue
            }
            let isReadable = fileSystems[volume] != nil
            if !isReadable { noteMissing() }
            if !isReadable, resolver.volumes[volume].identity.kind != .unknown {
                notes.append(
                    "\(path) lies on \(resolver.volumes[volume].name) "
                        + "(\(resolver.volumes[volume].identity.kind.rawValue)), which cannot be read")
            }
            mountedPaths.insert(path)
            mounts.append(LinuxSystem.Mount(path: path, volume: volume, isReadable: isReadable))
        }
        return mounts
    }
}
