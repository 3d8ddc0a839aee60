package import Storage

/// Finds the guests on a set of disks by what their file systems hold.
package enum GuestFinder {
    /// Finds every guest. `fileSystems` holds those volumes (by index) that can be read; `diskCount` is how many
    /// disks were given. Nothing is written; a file that cannot be read fails the survey.
    package static func survey(
        volumes: [Volume], fileSystems: [Int: any FileSystem], diskCount: Int,
        presentation: SourcePresentation = .unknown
    ) throws(StorageError) -> Survey {
        var guests: [Guest] = []
        for index in volumes.indices {
            guard let fileSystem = fileSystems[index], try looksLikeRoot(fileSystem, index) else { continue }
            guests.append(
                try guest(
                    rootVolume: index, volumes: volumes, fileSystems: fileSystems, diskCount: diskCount,
                    presentation: presentation))
        }
        let hasWindows = try volumes.indices.contains { (index) throws(StorageError) in
            if volumes[index].identity.kind == .ntfs { return true }
            guard volumes[index].identity.kind == .vfat, let fileSystem = fileSystems[index] else {
                return false
            }
            let tree = FileSystemTree(mounts: [.init(path: [slash], volume: index, fileSystem: fileSystem)])
            return try tree.exists("/EFI/Microsoft/Boot/bootmgfw.efi")
        }
        return Survey(
            guests: guests, findings: findings(volumes, fileSystems, hasWindows), hasWindows: hasWindows)
    }

    /// Release files, an fstab, or at least /etc beside a boot loader's directory.
    private static func looksLikeRoot(_ fileSystem: any FileSystem, _ index: Int) throws(StorageError) -> Bool
    {
        let tree = FileSystemTree(mounts: [.init(path: [slash], volume: index, fileSystem: fileSystem)])
        guard let etc = try tree.find("/etc"), etc.attributes.type == .directory else { return false }
        for path in ["/etc/fstab"] + releaseFiles where try tree.exists(path) { return true }
        for path in ["/boot/grub", "/boot/grub2", "/boot/loader", "/boot/extlinux", "/sbin/init"]
        where try tree.exists(path) { return true }
        return false
    }

    private static let releaseFiles = [
        "/etc/os-release", "/usr/lib/os-release", "/etc/redhat-release", "/etc/SuSE-release",
        "/etc/debian_version", "/etc/lsb-release", "/etc/alpine-release", "/etc/arch-release",
        "/etc/system-release", "/etc/gentoo-release", "/etc/slackware-version",
    ]

    private static func guest(
        rootVolume: Int, volumes: [Volume], fileSystems: [Int: any FileSystem], diskCount: Int,
        presentation: SourcePresentation
    ) throws(StorageError) -> Guest {
        let root = FileSystemTree.Mount(
            path: [slash], volume: rootVolume, fileSystem: fileSystems[rootVolume])
        let bare = FileSystemTree(mounts: [root])
        let fstab = Fstab(try bare.configuration("/etc/fstab") ?? [])
        let release = try OSRelease.read(bare)

        // The fstab says what is mounted where; what the names mean may need every file that uses names.
        var usage = usage(of: fstab, rootVolume: rootVolume, release)
        var presentation = presentation
        if presentation.hypervisor == nil {
            let inferred = try infer(bare, fstab)
            presentation.hypervisor = inferred?.hypervisor
            presentation.inferredFrom = inferred?.reason
        }
        let first = DeviceResolver(
            volumes: volumes, diskCount: diskCount, presentation: presentation, usage: usage)
        var notes: [String] = []
        let mounts = mounts(of: fstab, rootVolume, first, fileSystems, &notes)
        let tree = FileSystemTree(
            mounts: mounts.map {
                .init(path: Array($0.path.utf8), volume: $0.volume, fileSystem: fileSystems[$0.volume])
            })
        let (files, oversized) = try GuestScan.files(of: tree)
        notes += oversized.map { "\($0) is larger than any real one and is left alone" }
        for site in files.flatMap(\.sites) where site.use.countsDisks {
            if case .disk(let name, _) = DeviceName(site.text) { usage.disks.insert(name) }
        }
        if usage.root == nil { usage.root = anchor(in: files, rootVolume, volumes) }
        var resolver = DeviceResolver(
            volumes: volumes, diskCount: diskCount, presentation: presentation, usage: usage)
        usage.contradicted = contradicted(fstab, rootVolume, resolver)
        if !usage.contradicted.isEmpty {
            resolver = DeviceResolver(
                volumes: volumes, diskCount: diskCount, presentation: presentation, usage: usage)
        }
        return Guest(
            rootVolume: rootVolume, release: release, tree: tree, mounts: mounts, resolver: resolver,
            files: files, inspection: try Inspection(tree), notes: notes)
    }

    private static func usage(of fstab: Fstab, rootVolume: Int, _ release: OSRelease?) -> DeviceResolver.Usage
    {
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

    private static func mounts(
        of fstab: Fstab, _ rootVolume: Int, _ resolver: DeviceResolver, _ fileSystems: [Int: any FileSystem],
        _ notes: inout [String]
    ) -> [Guest.Mount] {
        var mounts = [Guest.Mount(path: "/", volume: rootVolume, isReadable: true)]
        for row in fstab.rows where row.mountPoint.hasPrefix("/") && row.mountPoint != "/" {
            let path = "/" + row.mountPoint.split(separator: "/").joined(separator: "/")
            guard case .volume(let volume) = resolver.resolve(DeviceName(row.spec)), volume != rootVolume,
                !row.isRemovableMedium, !row.options.contains("bind"),
                !mounts.contains(where: { $0.path == path })
            else { continue }
            let isReadable = fileSystems[volume] != nil
            if !isReadable, resolver.volumes[volume].identity.kind != .unknown {
                notes.append(
                    "\(path) lies on \(resolver.volumes[volume].name) "
                        + "(\(resolver.volumes[volume].identity.kind.rawValue)), which cannot be read")
            }
            mounts.append(Guest.Mount(path: path, volume: volume, isReadable: isReadable))
        }
        return mounts
    }

    /// What the guest's files say about the hypervisor it runs on.
    private static func infer(
        _ tree: FileSystemTree, _ fstab: Fstab
    ) throws(StorageError) -> (hypervisor: Hypervisor, reason: String)? {
        for (path, hypervisor) in [
            ("/etc/vmware-tools/locations", Hypervisor.vmware),
            ("/usr/sbin/xe-linux-distribution", .xenserver),
            ("/etc/init.d/xe-linux-distribution", .xenserver), ("/usr/sbin/hv_kvp_daemon", .hyperv),
            ("/usr/sbin/hypervkvpd", .hyperv), ("/var/lib/VBoxGuestAdditions/config", .virtualbox),
            ("/usr/bin/vmtoolsd", .vmware), ("/usr/bin/qemu-ga", .kvm), ("/usr/sbin/qemu-ga", .kvm),
        ] where try tree.exists(path) { return (hypervisor, path) }
        for row in fstab.rows {
            guard case .disk(let name, _) = DeviceName(row.spec) else { continue }
            switch name.family {
            case .xvd: return (.xenserver, "\(name) in /etc/fstab")
            case .vd: return (.kvm, "\(name) in /etc/fstab")
            case .qemuSerial: return (.xenserver, "\(name) in /etc/fstab")
            default: break
            }
        }
        return nil
    }

    private static func findings(
        _ volumes: [Volume], _ fileSystems: [Int: any FileSystem], _ hasWindows: Bool
    ) -> [String] {
        var findings: [String] = []
        if hasWindows {
            findings.append("a Windows system: its drivers are in the registry, which is not changed here")
        }
        for (index, volume) in volumes.enumerated() where fileSystems[index] == nil {
            switch volume.identity.kind {
            case .swap where volume.identity.isHibernated:
                findings.append("\(volume.name) holds a suspended system: start it and shut it down first")
            case .luks: findings.append("\(volume.name) is encrypted (LUKS): nothing in it can be changed")
            case .xfs, .btrfs, .vfat:
                findings.append(
                    "\(volume.name) holds \(volume.identity.kind.rawValue), which cannot be read here")
            default: break
            }
        }
        return findings
    }
}

private let slash = UInt8(ascii: "/")

extension Range where Bound == Int {
    fileprivate func contains(
        where matches: (Int) throws(StorageError) -> Bool
    ) throws(StorageError) -> Bool {
        for index in self where try matches(index) { return true }
        return false
    }
}
