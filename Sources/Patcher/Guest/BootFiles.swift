internal import GuestTree
internal import Storage

/// Which of the files that menus load are there, wherever their loaders count paths from.
struct BootFiles: Sendable {
    /// A device that a loader looks on, and that will not be there.
    struct MissingDevice: Sendable, Equatable {
        var name: String
        var problem: LoaderDeviceProblem
    }

    /// The entries whose kernels were found.
    private(set) var present: Set<EntryKey> = []
    /// The first file of an entry that lies in no place where its loader could find it, as the menu writes it.
    private(set) var missing: [EntryKey: String] = [:]
    /// The device of an entry's files, where it will not be there. Xen's pygrub does not look at it.
    private(set) var missingDevices: [EntryKey: MissingDevice] = [:]
    /// The first file of an entry that is not on the volume that its GRUB reads, though it may be on another; without a
    /// volume: on none by that path, which leads to it only where the running system mounts them.
    private(set) var misplaced: [EntryKey: (path: String, volume: String?)] = [:]
    /// Something that may be a kernel lies where kernels do, or such a place cannot be read.
    let mayHoldKernels: Bool

    /// Looks for the kernel and the initramfs of every entry.
    init(of files: [ScannedFile], in places: BootPlaces, hasBootFiles: Bool) throws(StorageError) {
        var search = BootFileSearch(places: places)
        let isKernelThere = try search.findsKernel()
        mayHoldKernels = hasBootFiles || places.hidesVolumes || isKernelThere
        var looked:
            [(entry: EntryKey, files: [(path: String, state: BootFileSearch.State)], menu: ScannedFile)] = []
        let inherited = files.compactMap(\.grubMenu).first { $0.readsBLSEntries }?.rootSettings ?? []
        let hasGRUB2 = files.contains { $0.syntax is GRUB2Config }
        for menu in files where menu.menuType != nil {
            // Without GRUB 2 a loader entry is for systemd-boot, which reads it on FAT; which loader reads it elsewhere, and
            // from where it counts, is not known.
            let isOfNoLoader =
                menu.isOneEntryOfMany && !hasGRUB2 && !places.kinds[menu.file.volume].isReadByFirmware
            for entry in menu.bootEntries {
                let key = EntryKey(file: menu.file.key, index: entry.index)
                let inherited = menu.isOneEntryOfMany ? inherited : []
                if entry.kernel == nil, entry.menuFile == nil, let loader = entry.chainLoader,
                    case (.missing(let device, let problem), _) = places.roots.place(
                        of: loader, 0, of: entry, in: menu, inherited: inherited)
                {
                    missingDevices[key] = MissingDevice(name: device, problem: problem)
                }
                // A kernel, or the menu that the entry shows.
                guard let first = entry.kernel ?? entry.menuFile else { continue }
                var states: [(path: String, state: BootFileSearch.State)] = []
                for (index, path) in ([first] + entry.initrds).enumerated() {
                    states.append((path, try search.state(of: path, in: menu)))
                    if isOfNoLoader { continue }
                    let (place, rest) = places.roots.place(
                        of: path, index, of: entry, in: menu, inherited: inherited)
                    switch place {
                    case .missing(let device, let problem):
                        missingDevices[key] =
                            missingDevices[key] ?? MissingDevice(name: device, problem: problem)
                    case .volume(let volume):
                        guard misplaced[key] == nil, states.last?.state == .present,
                            try search.isAbsent(rest, on: volume)
                        else { continue }
                        misplaced[key] = (path, places.names[volume])
                    case .unknown:
                        guard misplaced[key] == nil, states.last?.state == .present,
                            LoaderRoots.readsByVolume(menu), try search.isAbsentEverywhere(rest)
                        else { continue }
                        misplaced[key] = (path, nil)
                    }
                }
                if entry.kernel != nil, states.first?.state == .present { present.insert(key) }
                if menu.isReadAtBoot { looked.append((key, states, menu)) }
            }
        }
        // Where none of any menu is found, and a volume cannot be read, they are there.
        let isAnyFound = hasBootFiles || looked.contains { $0.files.contains { $0.state == .present } }
        guard isAnyFound || !places.hidesVolumes else { return }
        var directories: [ConfigurationKind: Set<Substring>] = [:]
        for item in looked {
            let found = item.files.filter { $0.state == .present }.map {
                BootFileSearch.directory(of: $0.path)
            }
            directories[item.menu.kind, default: []].formUnion(found)
        }
        for item in looked {
            // What may lie on a volume that cannot be read is missing only beside files that were found.
            let isHidden =
                item.menu.syntax is LoaderEntry ? places.hidesVolumes : places.hidesOtherVolumes
            let absent = item.files.first { file in
                file.state == .absent
                    && (!isHidden
                        || directories[item.menu.kind]?.contains(BootFileSearch.directory(of: file.path))
                            == true)
            }
            if let absent { missing[item.entry] = absent.path }
        }
    }
}

/// Where a loader may count its paths from.
struct BootPlaces {
    /// The guest's tree.
    let tree: FileSystemTree
    /// Each volume that can be read, by itself.
    let volumes: [FileSystemTree]
    /// The same, by the volume.
    let byVolume: [Int: FileSystemTree]
    /// Which volume GRUB means.
    let roots: LoaderRoots
    /// The volumes' names.
    let names: [String]
    /// What they hold.
    let kinds: [VolumeIdentity.Kind]
    /// A volume that may hold kernels cannot be read.
    let hidesVolumes: Bool
    /// One that is no EFI system partition cannot be read.
    let hidesOtherVolumes: Bool

    init(
        _ tree: FileSystemTree, _ roots: LoaderRoots, _ volumes: [Volume],
        _ fileSystems: [Int: any FileSystem], _ damage: TreeDamage
    ) {
        self.tree = tree
        self.roots = roots
        names = volumes.map(\.name)
        kinds = volumes.map(\.identity.kind)
        byVolume = Dictionary(
            uniqueKeysWithValues: fileSystems.map {
                ($0.key, FileSystemTree(volume: $0.key, $0.value, noting: damage))
            })
        self.volumes = fileSystems.keys.sorted().map {
            FileSystemTree(volume: $0, fileSystems[$0], noting: damage)
        }
        let hidden = volumes.indices.filter {
            fileSystems[$0] == nil && volumes[$0].identity.kind.mayHoldFilesOfLinux
        }
        hidesVolumes = !hidden.isEmpty
        hidesOtherVolumes = hidden.contains { !volumes[$0].isEFISystemPartition }
    }
}

extension String {
    /// What stands before the last slash.
    var directoryPart: String { lastIndex(of: "/").map { String(self[..<$0]) } ?? "" }
}
