internal import Storage

/// What a guest's files use device names for, which decides what the names stand for.
enum NameUsage {
    /// The one resolver of a guest: every name of every file counts for what each of them means.
    static func resolver(for guest: MountedGuest, _ files: [ScannedFile]) -> DeviceResolver {
        var usage = guest.usage
        for site in files.flatMap(\.sites) where site.use.countsDisks {
            if case .disk(let name, _) = DeviceName(site.text) { usage.disks.insert(name) }
        }
        if usage.root == nil { usage.root = anchor(in: files, guest.rootVolume, guest.resolver.volumes) }
        let resolver = guest.resolver.using(usage)
        usage.contradicted = contradicted(guest.fstab, guest.rootVolume, resolver)
        return usage.contradicted.isEmpty ? resolver : resolver.using(usage)
    }

    /// What the fstab's names are used for.
    static func usage(of fstab: Fstab, rootVolume: Int, _ release: OSRelease?) -> DeviceResolver.Usage {
        var usage = DeviceResolver.Usage()
        usage.isRHEL6 = release?.family == .redHat && release?.major == 6
        if let release, release.family != .other {
            usage.hasOldIDEDriver = release.usesOldIDEDriver(kernel: nil)
        }
        for row in fstab.rows {
            guard case .disk(let name, let partition) = DeviceName(row.spec) else { continue }
            if row.isRemovableMedium, partition == nil {
                usage.opticalBases.insert(name.base)
            } else {
                usage.disks.insert(name)
                if row.mountPoint == "/" { usage.root = (name, partition, rootVolume) }
            }
        }
        return usage
    }

    /// The name that the kernel entries give the root, where the fstab has a stable one: the only one that has the
    /// root's partition number, and that stands at the root's place in the order.
    private static func anchor(
        in files: [ScannedFile], _ rootVolume: Int, _ volumes: [Volume]
    ) -> (name: DiskName, partition: Int?, volume: Int)? {
        guard case .partition(let disk, let number) = volumes[rootVolume].location else { return nil }
        var names: Set<DiskName> = []
        for site in files.flatMap(\.sites) {
            guard case .kernelArgument("root", _) = site.use,
                case .disk(let name, number) = DeviceName(site.text)
            else { continue }
            names.insert(name)
        }
        guard names.count == 1, let name = names.first, name.position == disk else { return nil }
        return (name, number, rootVolume)
    }

    /// Kinds of disk names that cannot count the given disks in their order: one would name a volume that another row
    /// mounts elsewhere.
    private static func contradicted(
        _ fstab: Fstab, _ rootVolume: Int, _ resolver: DeviceResolver
    ) -> Set<DiskName.Family> {
        var places: [Int: Set<String>] = [rootVolume: ["/"]]
        for row in fstab.rows where !DeviceName(row.spec).isPositional {
            if case .volume(let volume) = resolver.resolve(DeviceName(row.spec)) {
                places[volume, default: []].insert(row.mountPoint)
            }
        }
        var families: Set<DiskName.Family> = []
        for row in fstab.rows {
            let name = DeviceName(row.spec)
            guard case .disk(let disk, _) = name, case .volume(let volume) = resolver.resolve(name),
                let known = places[volume], !known.contains(row.mountPoint), !row.isSwap
            else { continue }
            families.insert(disk.family)
        }
        return families
    }
}
