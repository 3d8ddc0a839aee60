internal import GuestTree
internal import Storage

/// Which of the files that menus load are there, wherever their loaders count paths from.
struct BootFiles: Sendable {
    /// The entries whose kernels were found.
    private(set) var present: Set<EntryKey> = []
    /// The first file of an entry that lies in no place where its loader could find it, as the menu writes it.
    private(set) var missing: [EntryKey: String] = [:]

    /// Looks for the kernel and the initramfs of every entry. `hasBootFiles`: kernels lie in this guest's /boot.
    init(
        of files: [ScannedFile], in places: BootPlaces, hasBootFiles: Bool
    ) throws(StorageError) {
        var search = Search(places: places)
        var looked: [(entry: EntryKey, files: [(path: String, state: Search.State)], menu: ScannedFile)] = []
        for menu in files where (menu.syntax as? any BootMenu) != nil {
            for entry in menu.bootEntries {
                guard let kernel = entry.kernel else { continue }
                var states: [(path: String, state: Search.State)] = []
                for path in [kernel] + entry.initrds {
                    states.append((path, try search.state(of: path, in: menu)))
                }
                let key = EntryKey(file: menu.file.key, index: entry.index)
                if states.first?.state == .present { present.insert(key) }
                if menu.isReadAtBoot { looked.append((key, states, menu)) }
            }
        }
        // Where none of any menu is found, they were not looked for in the right place.
        guard hasBootFiles || looked.contains(where: { $0.files.contains { $0.state == .present } }) else {
            return
        }
        var directories: [ConfigurationKind: Set<Substring>] = [:]
        for item in looked {
            let found = item.files.filter { $0.state == .present }.map { Search.directory(of: $0.path) }
            directories[item.menu.kind, default: []].formUnion(found)
        }
        for item in looked {
            // What may lie on a volume that cannot be read is missing only beside files that were found.
            let isHidden =
                item.menu.syntax is LoaderEntry ? places.hidesVolumes : places.hidesOtherVolumes
            let absent = item.files.first { file in
                file.state == .absent
                    && (!isHidden
                        || directories[item.menu.kind]?.contains(Search.directory(of: file.path)) == true)
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
    /// A volume that may hold kernels cannot be read.
    let hidesVolumes: Bool
    /// One that is no EFI system partition cannot be read.
    let hidesOtherVolumes: Bool

    init(_ tree: FileSystemTree, _ volumes: [Volume], _ fileSystems: [Int: any FileSystem]) {
        self.tree = tree
        self.volumes = fileSystems.sorted { $0.key < $1.key }.map { FileSystemTree(volume: $0.key, $0.value) }
        let holdsNoFiles: Set<VolumeIdentity.Kind> = [.swap, .lvm2, .mdRAID, .unknown]
        let hidden = volumes.indices.filter {
            fileSystems[$0] == nil && !holdsNoFiles.contains(volumes[$0].identity.kind)
        }
        hidesVolumes = !hidden.isEmpty
        hidesOtherVolumes = hidden.contains { !volumes[$0].isEFISystemPartition }
    }
}

/// Looks each path up once.
private struct Search {
    enum State {
        case present
        case absent
        /// The path depends on what only the loader knows.
        case unknown
    }

    let places: BootPlaces
    private var known: [String: State] = [:]

    init(places: BootPlaces) { self.places = places }

    /// No guest has more kernels than this.
    private static let limit = 500

    mutating func state(of path: String, in menu: ScannedFile) throws(StorageError) -> State {
        guard var place = Self.place(path) else { return .unknown }
        if place.first != "/" {
            guard menu.syntax is Syslinux else { return .unknown }
            // Its own directory is the one that it was told of.
            place = menu.file.displayPath.directoryPart + "/" + place
        }
        if let answer = known[place] { return answer }
        guard known.count < Self.limit else { return .unknown }
        let answer: State = try isThere(place) ? .present : .absent
        known[place] = answer
        return answer
    }

    /// The path on its volume; nil where a variable hides it, or the volume is none of the disks'.
    private static func place(_ path: String) -> String? {
        var rest = Substring(path)
        if rest.first == "(" {
            guard let end = rest.firstIndex(of: ")") else { return nil }
            let device = rest[rest.index(after: rest.startIndex)..<end]
            let known = ["hd", "$root", "${root}", "lvm/", "md/", "lvmid/", "mduuid/"]
            guard known.contains(where: device.hasPrefix) else { return nil }
            rest = rest[rest.index(after: end)...]
        }
        guard !rest.isEmpty, !rest.contains(where: { "$*:`".contains($0) }), rest.first != "-" else {
            return nil
        }
        return String(rest)
    }

    /// `/boot/vmlinuz`, or `/vmlinuz` of a volume that is mounted on /boot.
    private func isThere(_ path: String) throws(StorageError) -> Bool {
        for base in BootMenuPaths.bases where try holdsFile(GuestPath(base + path), places.tree) {
            return true
        }
        for tree in places.volumes {
            for base in ["", "/boot"] where try holdsFile(GuestPath(base + path), tree) { return true }
        }
        return false
    }

    /// A file without a byte in it starts nothing.
    private func holdsFile(_ path: GuestPath, _ tree: FileSystemTree) throws(StorageError) -> Bool {
        guard let file = try tree.find(path) else { return false }
        return file.attributes.type != .regular || file.attributes.size > 0
    }

    /// What stands before a path's last slash.
    static func directory(of path: String) -> Substring {
        path.lastIndex(of: "/").map { path[..<$0] } ?? ""
    }
}

/// Where in the guest's tree a loader's "/" may be.
enum BootMenuPaths {
    static let bases = ["", "/boot", "/boot/efi", "/efi"]
}

extension String {
    /// What stands before the last slash.
    var directoryPart: String { lastIndex(of: "/").map { String(self[..<$0]) } ?? "" }
}
