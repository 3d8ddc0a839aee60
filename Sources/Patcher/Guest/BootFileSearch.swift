internal import GuestTree
internal import Storage

/// Looks for files that menus name, each path once.
struct BootFileSearch {
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
            guard menu.menuType?.pathBase == .ownDirectory else { return .unknown }
            // Its own directory is the one that it was told of.
            place = menu.file.displayPath.directoryPart + "/" + place
        }
        if let answer = known[place] { return answer }
        guard known.count < Self.limit else { return .unknown }
        let answer: State = try isThere(place) ? .present : .absent
        known[place] = answer
        return answer
    }

    /// The file is not on that volume, which can be read. `path` counts from the volume's own root.
    func isAbsent(_ path: Substring, on volume: Int) throws(StorageError) -> Bool {
        // No loader reads files of these.
        if [.swap, .lvm2].contains(places.kinds[volume]) { return true }
        guard path.first == "/", let plain = Self.place(String(path)), let tree = places.byVolume[volume]
        else {
            return false
        }
        return try !holdsFile(GuestPath(plain), tree)
    }

    /// The file is on no volume by a path that counts from that volume's own root, and all of them can be read.
    func isAbsentEverywhere(_ path: Substring) throws(StorageError) -> Bool {
        guard path.first == "/", !places.hidesVolumes, !places.byVolume.isEmpty else { return false }
        for volume in places.byVolume.keys where try !isAbsent(path, on: volume) { return false }
        return true
    }

    /// Something lies in a place of kernels whose name is one of a kernel's.
    func findsKernel() throws(StorageError) -> Bool {
        for tree in [places.tree] + places.volumes {
            for directory in ["/", "/boot", "/EFI/Linux"]
            where try holdsKernel(GuestPath(directory), tree, depth: 0) {
                return true
            }
        }
        return false
    }

    /// Directories of the Boot Loader Specification are called after the machine and the kernel's release.
    private func holdsKernel(
        _ directory: GuestPath, _ tree: FileSystemTree, depth: Int
    ) throws(StorageError) -> Bool {
        let stems = ["vmlinu", "bzimage", "zimage", "uimage", "kernel", "linux", "image", "unikernel"]
        for name in try tree.names(in: directory).prefix(Self.limit) {
            let word = name.lowercased()
            let isDirectory =
                depth < 2 && (depth > 0 || word.utf8.count == 32 && word.allSatisfy(\.isHexDigit))
            guard isDirectory || stems.contains(where: word.hasPrefix) || word.hasSuffix(".efi"),
                let file = try tree.find(
                    GuestPath("\(directory == "/" ? "" : directory.displayText)/\(name)"))
            else { continue }
            if file.attributes.type == .regular, file.attributes.size > 0 { return true }
            if isDirectory, file.attributes.type == .directory,
                try holdsKernel(file.path, tree, depth: depth + 1)
            {
                return true
            }
        }
        return false
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
