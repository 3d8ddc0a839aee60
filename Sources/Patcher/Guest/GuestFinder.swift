internal import GuestTree
package import Initramfs
package import Storage

/// Finds the guests on a set of disks by what their file systems hold.
package enum GuestFinder {
    /// Finds every guest. `fileSystems` holds those volumes (by index) that can be read; `diskCount` is how many
    /// disks were given, `bootCode` tells what each one's first sector starts, where somebody looked, `unread` why a volume (by
    /// index) could not be opened, `damaged` which of these are damaged, `damagedTables` the disks
    /// whose GPT was read from their end, and `open` opens an initramfs that is a file system. Nothing is written; a file that cannot
    /// be read is told in the guest's notes, and by a verdict where it matters.
    package static func survey(
        volumes: [Volume], fileSystems: [Int: any FileSystem], diskCount: Int,
        presentation: SourcePresentation = .unknown, bootCode: [BootCode] = [], unread: [Int: String] = [:],
        damaged: Set<Int> = [], damagedTables: Set<Int> = [], openingOldRoots open: OldRootOpener? = nil
    ) throws(StorageError) -> Survey {
        var guests: [LinuxSystem] = []
        let roots = try rootVolumes(volumes, fileSystems)
        for index in roots {
            guests.append(
                try guest(
                    rootVolume: index, among: roots, volumes: volumes, fileSystems: fileSystems,
                    diskCount: diskCount,
                    presentation: presentation, bootCode: bootCode,
                    damaged: unread.filter { damaged.contains($0.key) }, damagedTables, open))
        }
        let hasWindows = try volumes.indices.contains { (index) throws(StorageError) in
            if volumes[index].identity.kind.isOfWindows { return true }
            guard volumes[index].identity.kind.isReadByFirmware, let fileSystem = fileSystems[index] else {
                return false
            }
            let tree = FileSystemTree(volume: index, fileSystem, noting: TreeDamage())
            return try tree.exists("/EFI/Microsoft/Boot/bootmgfw.efi")
        }
        return Survey(
            guests: guests, findings: findings(volumes, fileSystems, hasWindows, unread),
            hasWindows: hasWindows)
    }

    /// The volumes that hold a system's root, in their order. Looks names up and reads no file.
    package static func rootVolumes(
        _ volumes: [Volume], _ fileSystems: [Int: any FileSystem]
    ) throws(StorageError) -> [Int] {
        var roots: [Int] = []
        for index in volumes.indices {
            guard let fileSystem = fileSystems[index], try looksLikeRoot(fileSystem, index) else { continue }
            roots.append(index)
        }
        return roots
    }

    /// Release files, an fstab, or at least /etc beside a boot loader's directory.
    private static func looksLikeRoot(_ fileSystem: any FileSystem, _ index: Int) throws(StorageError) -> Bool
    {
        let tree = FileSystemTree(volume: index, fileSystem, noting: TreeDamage())
        guard let etc = try tree.find("/etc"), etc.attributes.type == .directory else { return false }
        for path in ["/etc/fstab"] + releaseFiles where try tree.exists(path) { return true }
        for path in ["/boot/grub", "/boot/grub2", "/boot/loader", "/boot/extlinux", "/sbin/init"]
            as [GuestPath]
        where try tree.exists(path) { return true }
        return false
    }

    private static let releaseFiles: [GuestPath] = [
        "/etc/os-release", "/usr/lib/os-release", "/etc/redhat-release", "/etc/SuSE-release",
        "/etc/debian_version", "/etc/lsb-release", "/etc/alpine-release", "/etc/arch-release",
        "/etc/system-release", "/etc/gentoo-release", "/etc/slackware-version",
    ]

    private static func guest(
        rootVolume: Int, among roots: [Int], volumes: [Volume], fileSystems: [Int: any FileSystem],
        diskCount: Int, presentation: SourcePresentation, bootCode: [BootCode], damaged: [Int: String],
        _ damagedTables: Set<Int>,
        _ open: OldRootOpener?
    ) throws(StorageError) -> LinuxSystem {
        let mounted = try MountedSystem(
            rootVolume: rootVolume, volumes: volumes, fileSystems: fileSystems, diskCount: diskCount,
            presentation: presentation, bootCode: bootCode)
        var frame = mounted.frame
        frame.systemRoots = Set(roots)
        let home = mounted.mounts.first { $0.path == "/boot" }?.volume ?? rootVolume
        let (files, leftAlone, unreadable) = try GuestScan.files(
            of: mounted.pastDamage,
            IncludedPlaces(
                mounted, LoaderRoots(frame, home: home), roots.count <= 1 ? fileSystems : [:]))
        var inspection = try Inspection(mounted.pastDamage)
        try inspection.findPrograms(of: files, in: mounted.pastDamage)
        inspection.efi = try EFISystemPartition.find(mounted, fileSystems)
        inspection.kernelFiles = try LinuxSystem.kernelFiles(of: files, in: mounted.pastDamage)
        frame.openOldRoot = open
        frame.damagedVolumes = damaged
        // Linux mounts no file system that ends behind its device.
        for (index, volume) in volumes.enumerated()
        where volume.identity.deviceByteCount.map({ $0 > volume.device.byteCount }) ?? false {
            frame.damagedVolumes[index] = "it is longer than its volume, as in an image that is cut off"
        }
        frame.damagedTables = damagedTables
        let bootFiles = try BootFiles(
            of: files,
            in: BootPlaces(
                mounted.pastDamage,
                LoaderRoots(frame, home: home), volumes, fileSystems, mounted.damage),
            hasBootFiles: inspection.hasBootFiles)
        return try LinuxSystem(
            frame: frame, tree: mounted.tree, mounts: mounted.mounts,
            capabilities: capabilities(volumes, fileSystems), files: files, inspection: inspection,
            bootFiles: bootFiles, unreadable: unreadable,
            notes: mounted.notes + leftAlone.notes + notes(of: mounted.damage))
    }

    /// What can be changed on each volume: nothing where what it lies on must not be written.
    private static func capabilities(
        _ volumes: [Volume], _ fileSystems: [Int: any FileSystem]
    ) -> [Int: Capabilities] {
        Dictionary(
            uniqueKeysWithValues: fileSystems.map { index, fileSystem in
                guard let refusal = volumes[index].device.lastingRefusal else {
                    return (index, fileSystem.capabilities)
                }
                return (index, Capabilities(restriction: refusal.message))
            })
    }

    /// What could not be read, one by one as far as somebody reads on.
    private static func notes(of damage: TreeDamage) -> [String] {
        let items = damage.items
        let told = items.prefix(20).map { "\($0.path.displayText) cannot be read: \($0.error.message)" }
        return told
            + (items.count > told.count ? ["\(items.count - told.count) more files cannot be read"] : [])
    }

    private static func findings(
        _ volumes: [Volume], _ fileSystems: [Int: any FileSystem], _ hasWindows: Bool, _ unread: [Int: String]
    ) -> [String] {
        var findings: [String] = []
        if hasWindows {
            findings.append("a Windows system: its drivers are in the registry, which is not changed here")
        }
        for (index, volume) in volumes.enumerated() where fileSystems[index] == nil {
            if let why = unread[index] {
                findings.append("\(volume.name) (\(volume.identity.kind.rawValue)) could not be read: \(why)")
                continue
            }
            switch volume.identity.kind.content {
            case .swap where volume.identity.isHibernated:
                findings.append("\(volume.name) holds a suspended system: start it and shut it down first")
            case .encrypted:
                findings.append("\(volume.name) is encrypted (LUKS): nothing in it can be changed")
            // What is put together, swapped to, or Windows's own is said elsewhere.
            case .swap, .volumes, .nothing: break
            case .files where volume.identity.kind.isOfWindows: break
            case .files:
                findings.append(
                    "\(volume.name) holds \(volume.identity.kind.rawValue), which cannot be read here")
            }
        }
        return findings
    }
}

extension Range where Bound == Int {
    fileprivate func contains(
        where matches: (Int) throws(StorageError) -> Bool
    ) throws(StorageError) -> Bool {
        for index in self where try matches(index) { return true }
        return false
    }
}
