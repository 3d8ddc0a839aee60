internal import Initramfs
package import Storage

/// What is known of a guest whatever its configuration files say, and what no edit of them changes.
package struct GuestFrame: Sendable {
    /// Index of the root's volume.
    package let rootVolume: Int
    /// The volumes of the given disks.
    package internal(set) var volumes: [Volume]
    /// How many disks were given.
    package let diskCount: Int
    /// What the system is; nil when no release file says.
    package internal(set) var release: OSRelease?
    /// What the user said of the source.
    let stated: SourcePresentation
    /// The hypervisor whose tools it has.
    let tools: SourcePresentation.Evidence?
    /// What the first sector of each disk starts; empty where nobody looked.
    var bootCode: [BootCode] = []
    /// The volumes that are of a form which is read here, and damaged: why they could not be opened.
    var damagedVolumes: [Int: String] = [:]
    /// The disks whose first partition table is damaged, so that the one at their end was read.
    var damagedTables: Set<Int> = []
    /// Opens an initramfs that is a file system; nil where nobody can.
    var openOldRoot: OldRootOpener?
    /// The volumes that hold a system's root, this one's among them; empty where nobody looked.
    var systemRoots: Set<Int> = []
}

/// What a guest's files use device names for decides what the names stand for.
extension GuestFrame {
    /// The one resolver of a guest: every name of every file counts for what each of them means.
    func resolver(_ fstab: Fstab, _ files: [ScannedFile] = []) -> DeviceResolver {
        var usage = usage(of: fstab)
        for site in files.flatMap(\.sites) where site.use.countsDisks {
            guard case .disk(let name, _) = DeviceName(site.text) else { continue }
            usage.disks.insert(name)
            if case .crypttab = site.use { usage.rowFamilies.insert(name.family) }
        }
        usage.mappings = Mapping.all(in: files)
        usage.arrays = MDConfiguration.arrays(in: files)
        usage.takenMappings = Set(fstab.rows.compactMap { DeviceName($0.spec).mapperName })
        let presentation = stated.inferred(from: tools, fstab)
        func resolver() -> DeviceResolver {
            DeviceResolver(
                volumes: volumes, diskCount: diskCount, presentation: presentation, usage: usage)
        }
        usage.entryRoots = entryRoots(in: files, resolver())
        if !files.isEmpty {
            usage.contradicted = contradictions(fstab, files, resolver())
            usage.refuted = refutedStatements(fstab, files, resolver())
        }
        return resolver()
    }

    /// What the fstab's names are used for.
    private func usage(of fstab: Fstab) -> DeviceResolver.Usage {
        var usage = DeviceResolver.Usage()
        usage.rootVolume = rootVolume
        switch volumes[rootVolume].location {
        case .partition(let disk, _), .wholeDisk(let disk):
            usage.rootDisk = disk
            let uuid = volumes[rootVolume].identity.uuid
            usage.isCopy =
                uuid != nil
                && volumes.contains {
                    // Devices of one file system have one UUID.
                    $0.identity.uuid == uuid && LinuxFileSystem.of($0.identity.kind)?.spansDevices != true
                        && $0.disk.map { $0 < disk } ?? false
                }
        case .logicalVolume, .array: break
        }
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
                usage.rowFamilies.insert(name.family)
                if row.isLentByCloud { usage.lent.insert(name) }
                if row.mountPoint == "/" {
                    usage.root = (name, partition, rootVolume)
                    if !usage.rootNames.contains(row.spec) { usage.rootNames.append(row.spec) }
                }
            }
        }
        return usage
    }

    /// Names that the kernel entries give the root: those that have the root's partition number, and stand at the root's
    /// place in the order, unless the kernel gives no such names or the fstab shows another order.
    private func entryRoots(in files: [ScannedFile], _ resolver: DeviceResolver) -> Set<DiskName> {
        guard case .partition(let disk, let number) = volumes[rootVolume].location else { return [] }
        var names: Set<DiskName> = []
        for site in files.flatMap(\.sites) {
            guard case .kernelArgument("root", _) = site.use,
                case .disk(let name, number) = DeviceName(site.text), name.position == disk
            else { continue }
            switch resolver.disk(of: name) {
            case .failure(.unknownToKernel), .failure(.otherOrder): break
            default: names.insert(name)
            }
        }
        return names
    }

    /// Names that the user tied to a disk, of which a row takes a volume that a row with another name takes for something else.
    private func refutedStatements(
        _ fstab: Fstab, _ files: [ScannedFile], _ resolver: DeviceResolver
    ) -> Set<String> {
        let map = resolver.presentation.map
        guard !map.isEmpty else { return [] }
        var uses: [(row: DeviceRow, base: String?, volume: Int)] = []
        for row in DeviceRow.all(fstab, files) where !row.isSwap {
            let name = DeviceName(row.spec)
            guard case .volume(let volume) = resolver.resolve(name),
                // Subvolumes are mounted each by a row of its own.
                !hasSubvolumes(volume)
            else { continue }
            guard case .disk(let disk, _) = name else {
                uses.append((row, nil, volume))
                continue
            }
            // An order proves nothing against the user.
            if resolver.isProved(disk) { uses.append((row, disk.base, volume)) }
        }
        let root = resolver.rootAnchor?.name.base
        return Set(
            uses.compactMap { use in
                guard let base = use.base, map[base] != nil, base != root else { return nil }
                let isTaken = uses.contains {
                    $0.volume == use.volume && $0.base != base && $0.row.place != use.row.place
                }
                return isTaken || use.volume == rootVolume && use.row.place != "/" ? base : nil
            })
    }

    private func hasSubvolumes(_ volume: Int) -> Bool {
        LinuxFileSystem.of(volumes[volume].identity.kind)?.hasSubvolumes == true
    }

    /// Kinds of disk names that cannot count the given disks in their order: one would name a volume that another row
    /// uses, or that holds something else than its row says. Names whose disk is proved say nothing of the order.
    private func contradictions(
        _ fstab: Fstab, _ files: [ScannedFile], _ resolver: DeviceResolver
    ) -> [DiskName.Family: DeviceResolver.Contradiction] {
        var places: [Int: Set<String>] = [rootVolume: ["/"]]
        var ordered: [(row: DeviceRow, name: DiskName, volume: Int)] = []
        for row in DeviceRow.all(fstab, files) {
            let name = DeviceName(row.spec)
            guard case .volume(let volume) = resolver.resolve(name) else { continue }
            if case .disk(let disk, _) = name, !resolver.isProved(disk) {
                ordered.append((row, disk, volume))
            } else {
                places[volume, default: []].insert(row.place)
            }
        }
        let names = Set(ordered.map(\.name))
        var found: [DiskName.Family: DeviceResolver.Contradiction] = [:]
        var seen: [Int: DiskName] = [:]
        for (row, name, volume) in ordered {
            // One name for the one disk that was given leaves no other order: then the row alone is wrong.
            let leavesNoOrder = diskCount == 1 && !names.contains { $0 != name && $0.family == name.family }
            let isOther = volumes[volume].shownKinds.allSatisfy {
                row.types?.contradicts($0) ?? row.mapping?.contradicts($0) ?? false
            }
            if isOther, !leavesNoOrder { found[name.family] = .otherContents }
            if row.place == "/", volume != rootVolume, !resolver.isPartOfOneFileSystem(volume, rootVolume) {
                found[name.family] = .otherContents
            }
            // Subvolumes are mounted each by a row of its own.
            if row.isSwap || hasSubvolumes(volume) { continue }
            if let known = places[volume], !known.contains(row.place) {
                found[name.family] = .mountedElsewhere
            }
            // Two names of one volume.
            if let other = seen[volume], other.base != name.base {
                found[name.family] = .mountedElsewhere
                found[other.family] = .mountedElsewhere
            }
            seen[volume] = name
        }
        return found
    }
}

/// A row, or a unit, that takes a volume for itself: to mount it, to swap to it, or to decrypt it.
private struct DeviceRow {
    var spec: String
    /// What it is taken for.
    var place: String
    /// What it is said to hold; nil where it is decrypted.
    var types: MountTypes?
    /// It is swapped to.
    var isSwap = false
    /// The row of crypttab; nil for others.
    var mapping: Crypttab.Row?

    static func all(_ fstab: Fstab, _ files: [ScannedFile]) -> [DeviceRow] {
        fstab.rows.map {
            DeviceRow(spec: $0.spec, place: $0.mountPoint, types: $0.mountTypes, isSwap: $0.isSwap)
        }
            + files.flatMap(\.sites).compactMap { site in
                switch site.use {
                case .crypttab(let row):
                    DeviceRow(spec: site.text, place: "/dev/mapper/\(row.name)", mapping: row)
                // What an option names is taken for no place.
                case .unit(let mountPoint, let types?) where !site.isOpaque:
                    DeviceRow(spec: site.text, place: mountPoint, types: types)
                default: nil
                }
            }
    }
}

extension Volume {
    /// The disk that it is, or is a partition of.
    package var disk: Int? {
        switch location {
        case .partition(let disk, _), .wholeDisk(let disk): disk
        case .logicalVolume, .array: nil
        }
    }

    /// The kinds that it shows the signatures of: a swap area may lie over a file system that was there before.
    var shownKinds: [VolumeIdentity.Kind] { [identity.kind] + candidates.map(\.kind) }
}
