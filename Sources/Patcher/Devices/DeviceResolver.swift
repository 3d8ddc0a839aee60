package import Storage

/// What a device name stands for on the disks that were given.
package enum Resolution: Equatable, Sendable {
    /// A volume, by its index.
    case volume(Int)
    /// All of a disk, by its index.
    case disk(Int)
    /// An optical or floppy drive, or something that is no disk of the guest's.
    case notADisk
    /// A stable name whose bearer cannot be looked up here (a device-mapper UUID).
    case stable
    /// Not on these disks, or not to be told.
    case unresolved(UnresolvedReason)
}

/// Finds what device names stand for. It never guesses: a name whose disk does not follow from the user's word,
/// from the root file system's own fstab row, or from an order that leaves no choice, stays unresolved.
package struct DeviceResolver: Sendable {
    /// The guest's volumes.
    package let volumes: [Volume]
    /// How many disks were given.
    package let diskCount: Int
    /// What the user said or what was inferred.
    package let presentation: SourcePresentation

    /// Disk names in use for disks, by family, in order of position.
    let positions: [DiskName.Family: [Int]]
    /// Names of NVMe disks in use, whose name spaces or controllers count.
    let nvmeNames: [DiskName]
    /// Names of places on a bus that are in use for disks whose place the user did not state, in the order of the bus.
    let addresses: [DiskName]
    /// Names whose disk is proved: they stand for the root, whose place is known by its contents.
    let anchors: [String: (disk: Int, name: DiskName)]
    /// The name that the fstab gives the root's disk.
    let rootAnchor: (disk: Int, name: DiskName)?
    let usage: Usage

    /// What the guest's files use names for.
    package struct Usage: Sendable {
        /// Names that stand for disks.
        package var disks: Set<DiskName> = []
        /// Names that stand for optical drives.
        package var opticalBases: Set<String> = []
        /// Kinds of names in rows of the fstab and of crypttab: what the running system uses.
        package var rowFamilies: Set<DiskName.Family> = []
        /// The root's own row: the name, the partition, and where the root was found.
        package var root: (name: DiskName, partition: Int?, volume: Int)?
        /// The names of rows of the root that the order of disks decides, as they are written.
        package var rootNames: [String] = []
        /// The volume on which the fstab lies; nil where nobody knows.
        package var rootVolume: Int?
        /// The disk that holds the root, where a partition or the whole disk does.
        package var rootDisk: Int?
        /// The root's UUID is that of a volume on a disk before it too.
        package var isCopy = false
        /// Names that kernel entries give the root's own partition, by the order of the disks.
        package var entryRoots: Set<DiskName> = []
        /// RHEL 6, whose Xen driver counts from xvde.
        package var isRHEL6 = false
        /// IDE disks are hda there, not sda; nil when nothing tells.
        package var hasOldIDEDriver: Bool?
        /// What device-mapper names stand for, by crypttab and the kernels' arguments.
        package var mappings: [String: DeviceName] = [:]
        /// The UUIDs of arrays by their nodes' names ("md5", "boot"), as mdadm.conf has them: 32 digits.
        package var arrays: [String: String] = [:]
        /// Names in rows that cloud-init wrote: the cloud may lend such disks, so that they are none of those given, and shift the
        /// names of those behind them.
        package var lent: Set<DiskName> = []
        /// Mappings that a row mounts or swaps to: nothing else lies in them.
        package var takenMappings: Set<String> = []
        /// Names that the user tied to a disk whose volumes are in use under another name.
        package var refuted: Set<String> = []
        /// Kinds of names whose order cannot be that of the given disks, and why.
        package var contradicted: [DiskName.Family: Contradiction] = [:]

        /// Nothing used yet.
        package init() {}
    }

    /// What speaks against an order.
    package enum Contradiction: Sendable {
        /// One of the names would be a volume that is mounted elsewhere.
        case mountedElsewhere
        /// One of them would be a volume that holds something else than its row says.
        case otherContents
    }

    /// A resolver over `volumes`.
    package init(volumes: [Volume], diskCount: Int, presentation: SourcePresentation, usage: Usage) {
        self.volumes = volumes
        self.diskCount = diskCount
        self.presentation = presentation
        let nvmeNames = usage.disks.filter { $0.family == .nvme && presentation.map[$0.base] == nil }
        self.nvmeNames = Array(nvmeNames)
        var positions: [DiskName.Family: Set<Int>] = [:]
        var addresses: [BusAddress: DiskName] = [:]
        for name in usage.disks
        where !usage.opticalBases.contains(name.base) && presentation.map[name.base] == nil
            && !usage.lent.contains(name)
        {
            if let position = Self.position(of: name, among: nvmeNames) {
                positions[name.family, default: []].insert(position)
            }
            if let address = name.address { addresses[address] = name }
        }
        self.positions = positions.mapValues { $0.sorted() }
        self.addresses = addresses.sorted { $0.key < $1.key }.map(\.value)
        var anchors: [String: (disk: Int, name: DiskName)] = [:]
        for name in usage.entryRoots {
            if let disk = name.position { anchors[name.base] = (disk, name) }
        }
        var rootAnchor: (disk: Int, name: DiskName)?
        if let root = usage.root {
            switch volumes[root.volume].location {
            case .partition(let disk, let number) where number == root.partition:
                rootAnchor = (disk, root.name)
            case .wholeDisk(let disk) where root.partition == nil || root.partition == 1:
                rootAnchor = (disk, root.name)
            default: break
            }
        }
        if let rootAnchor { anchors[rootAnchor.name.base] = rootAnchor }
        self.anchors = anchors
        self.rootAnchor = rootAnchor
        self.usage = usage
    }

    /// A name's place in its family's order. NVMe's name spaces count where all of them are behind the first controller, its
    /// controllers where each has one name space; nil where both differ.
    private static func position(of name: DiskName, among names: some Sequence<DiskName>) -> Int? {
        guard name.family == .nvme else { return name.position }
        let places = names.compactMap(\.address?.place) + [name.address?.place].compactMap { $0 }
        guard let own = name.address?.place else { return nil }
        if places.allSatisfy({ $0[0] == 0 }) { return own[1] }
        return places.allSatisfy { $0[1] == 0 } ? own[0] : nil
    }

    /// The same among the names in use.
    func position(of name: DiskName) -> Int? { Self.position(of: name, among: nvmeNames) }

    /// What `name` stands for. A volume that Linux does not make of what was given is none.
    package func resolve(_ name: DeviceName) -> Resolution {
        let found = find(name)
        guard case .volume(let volume) = found, let why = volumes[volume].lacking else { return found }
        return .unresolved(.notWhole(volume: volumes[volume].name, why))
    }

    private func find(_ name: DeviceName) -> Resolution {
        if let volume = volumeOfGroup(name) { return .volume(volume) }
        switch name {
        case .disk(let disk, let partition): return resolve(disk, partition)
        case .uuid(let uuid):
            return unique(.uuid(uuid)) { $0.identity.uuid == uuid }
        case .label(let label):
            return unique(.label(label)) { $0.identity.label == label }
        case .partitionUUID(let uuid):
            return unique(.partitionUUID(uuid)) { $0.partitionUUID?.lowercased() == uuid }
        case .partitionLabel(let label):
            return unique(.partitionLabel(label)) { $0.partitionLabel == label }
        case .logicalVolume(let group, let name):
            // What a table makes of a container has whatever name it says.
            if let mapper = DeviceName.logicalVolume(group: group, name: name).mapperName,
                usage.mappings[mapper] != nil
            {
                return .stable
            }
            return unique(.logicalVolume(group: group, name: name)) {
                $0.location == .logicalVolume(group: group, name: name)
            }
        case .array(let name):
            if let stated = statedArray(name) { return stated }
            let short = name.hasPrefix("md") ? String(name.dropFirst(2)) : name
            return unique(.array(name)) {
                guard case .array(let found) = $0.location else { return false }
                return found == name || found == short || found == "md" + name
            }
        case .mapped: return .stable
        case .stableIdentifier(let name): return resolve(identifier: name)
        case .optical, .floppy, .virtual, .notADevice: return .notADisk
        }
    }

    /// The logical volume on the given disks that has such a path, though a driver has a directory of its group's name.
    private func volumeOfGroup(_ name: DeviceName) -> Int? {
        let paths: [String]
        switch name {
        case .virtual(let path): paths = [path]
        case .disk(let disk, nil): paths = [disk.base]
        case .disk(let disk, let partition?): paths = ["", "p"].map { "\(disk.base)\($0)\(partition)" }
        default: return nil
        }
        return volumes.firstIndex { volume in
            guard case .logicalVolume(let group, let name) = volume.location else { return false }
            return paths.contains("/dev/\(group)/\(name)")
        }
    }

    /// A file system of several devices is mounted by any of them.
    func isPartOfOneFileSystem(_ one: Int, _ other: Int) -> Bool {
        let (one, other) = (volumes[one].identity, volumes[other].identity)
        return LinuxFileSystem.of(one.kind)?.spansDevices == true && one.kind == other.kind
            && one.uuid == other.uuid && (one.member == nil || one.member?.uuid != other.member?.uuid)
    }

    /// A name stands for a volume, or for another device of its file system.
    func stands(_ name: DeviceName, for volume: Int) -> Bool {
        guard case .volume(let found) = resolve(name) else { return false }
        return found == volume || isPartOfOneFileSystem(found, volume)
    }

    /// A name's disk is known without regard to the order.
    func isProved(_ name: DiskName) -> Bool {
        presentation.map[name.base] != nil || anchors[name.base] != nil
    }

    /// A guest whose rows have names of several kinds has several controllers, and their order among the disks given
    /// is not known: only the kind that the root or the hypervisor speaks for is resolved. What decides must still be
    /// there once the names that are resolved have been replaced, or the rest would mean something else then.
    func familyMisfit(_ name: DiskName) -> UnresolvedReason? {
        let family = name.family
        switch usage.contradicted[family] {
        case .mountedElsewhere?: return .mountedElsewhere(name)
        case .otherContents?: return .otherContents(name)
        case nil: break
        }
        guard family.isLettered else { return nil }
        let isRootsKind =
            rootAnchor.map { countsAlike($0.name.family, family) }
            ?? anchors.values.contains { $0.name.family == family }
        if isRootsKind { return nil }
        if family == .hd, usage.hasOldIDEDriver == false, presentation.hypervisor?.hasAliasedDiskNames != true
        {
            return .unknownToKernel(name)
        }
        if let rootAnchor { return rootAnchor.name.family.isLettered ? .otherKindThanRoot(name) : nil }
        let isMixed =
            usage.rowFamilies.contains(family)
            && usage.rowFamilies.contains { $0.isLettered && !countsAlike($0, family) }
        if isMixed { return .severalKinds(name) }
        // What the user said of the source excludes what it does not offer.
        if let stated = presentation.hypervisor, presentation.inferredFrom == nil,
            !stated.families.contains(family), !family.isOfHardware
        {
            return .unknownToSource(name, stated)
        }
        return nil
    }

    /// What a name of another kind than the root's would be by the order, where that much is safe to say: what is swapped
    /// to holds nothing else, and the disk of a boot loader matters to nothing but the loader's next installation.
    func harmlessly(_ name: DeviceName, _ use: DeviceSite.Use, _ reason: UnresolvedReason) -> Resolution? {
        guard case .disk(let disk, let partition) = name, let position = disk.position, position < diskCount
        else { return nil }
        switch reason {
        case .otherKindThanRoot, .severalKinds, .moreNamesThanDisks: break
        default: return nil
        }
        let found = place(disk, partition, on: position)
        if case .loaderDisk = use { return found }
        guard use.isSwap, case .volume(let volume) = found, volumes[volume].identity.kind == .swap else {
            return nil
        }
        return found
    }

    private func resolve(_ name: DiskName, _ partition: Int?) -> Resolution {
        if usage.opticalBases.contains(name.base), presentation.map[name.base] == nil { return .notADisk }
        // Xen can hand over each partition as a disk of its own.
        let isStated = partition.flatMap { presentation.map["\(name.base)\($0)"] }
        if let disk = isStated {
            guard disk >= 0, disk < diskCount else {
                return .unresolved(.statedDiskMissing(disk: disk, given: diskCount))
            }
            let whole = volumes.firstIndex { $0.location == .wholeDisk(disk: disk) }
            return whole.map(Resolution.volume) ?? place(name, partition, on: disk)
        }
        if presentation.map[name.base] == nil, statesPartitions(of: name) {
            return .unresolved(.wholeVolume(name: name.base + (partition.map(String.init) ?? ""), disk: 0))
        }
        switch disk(of: name) {
        case .failure(let reason):
            if let partition, leavesPartitions(reason, name) {
                return .unresolved(.wholeVolume(name: "\(name.base)\(partition)", disk: 0))
            }
            return .unresolved(reason)
        case .success(let disk): return place(name, partition, on: disk)
        }
    }

    /// No disk that was given has partitions, so that a word on the disk of that name would not tell what its partitions are.
    private func leavesPartitions(_ reason: UnresolvedReason, _ name: DiskName) -> Bool {
        switch reason {
        case .otherContents, .mountedElsewhere, .otherOrder, .behindGap, .ofCopy, .statedForAnother: break
        default: return false
        }
        return [.xvd, .sd, .hd, .vd].contains(name.family)
            && !volumes.contains { if case .partition = $0.location { true } else { false } }
    }

    /// The user told what some partitions of it are, so that they are no partitions of one disk.
    private func statesPartitions(of name: DiskName) -> Bool {
        presentation.map.keys.contains { key in
            guard case .disk(let found, let number) = DeviceName(key) else { return false }
            return found == name && number != nil
        }
    }

    private func place(_ name: DiskName, _ partition: Int?, on disk: Int) -> Resolution {
        guard let partition else {
            let whole = volumes.firstIndex { $0.location == .wholeDisk(disk: disk) }
            return whole.map(Resolution.volume) ?? .disk(disk)
        }
        let place = Volume.Location.partition(disk: disk, number: partition)
        if let index = volumes.firstIndex(where: { $0.location == place }) { return .volume(index) }
        // Xen can show a file system without a partition table as partition 1.
        if partition == 1, name.family == .xvd || presentation.hypervisor?.hasAliasedDiskNames == true,
            let whole = volumes.firstIndex(where: { $0.location == .wholeDisk(disk: disk) })
        {
            return .volume(whole)
        }
        if let whole = volumes.first(where: { $0.location == .wholeDisk(disk: disk) }),
            whole.identity.kind != .unknown
        {
            return .unresolved(.wholeVolume(name: "\(name.base)\(partition)", disk: disk))
        }
        return .unresolved(.noPartition(disk: disk, number: partition))
    }

    private func unique(_ bearing: UnresolvedReason.Bearing, _ matches: (Volume) -> Bool) -> Resolution {
        let found = volumes.indices.filter { matches(volumes[$0]) }
        switch found.count {
        case 0: return .unresolved(.noBearer(bearing))
        case 1: return .volume(found[0])
        default:
            // The devices of one file system bear its UUID and its label, and a copy of one bears its own too.
            let members = Set(found.compactMap { volumes[$0].identity.member?.uuid })
            if members.count == found.count,
                found.allSatisfy({ isPartOfOneFileSystem(found[0], $0) || $0 == found[0] })
            {
                return .volume(found[0])
            }
            return .unresolved(.shared(bearing, volumes: found.map { volumes[$0].name }))
        }
    }
}
