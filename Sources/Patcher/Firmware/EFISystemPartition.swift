package import GuestTree
internal import Storage

/// An EFI system partition that was read: its programs, and what its loaders read.
package struct EFISystemPartition: Sendable, Equatable {
    /// Index of its volume.
    package var volume: Int
    /// Names of other volumes with a loader in `\EFI\BOOT`, which firmware may find first.
    package var others: [String] = []
    /// Its programs, by their paths.
    package var loaders: [EFILoader] = []
    /// The lists for shim's fallback.efi, in the order of the directories on the disk.
    package var lists: [BootCSV] = []
    /// `\EFI\BOOT`, or the directory that it is to be made in; nil where a file bears the name.
    package var fallbackPlace: DirectoryPlace?
    /// Directories of `\EFI`, by their names in capitals: new files are put there.
    package var folders: [String: GuestFile] = [:]
    /// Configuration files beside loaders, by directory and name in capitals: "DEBIAN/GRUB.CFG".
    package var configurations: [String: GuestFile] = [:]
    /// systemd-boot finds an entry to start; nil where that cannot be told.
    package var hasEntries: Bool?
    /// Where each GRUB goes for its menu, by `EFILoader.names`.
    package var trails: [[String]: GRUBTrail] = [:]

    /// The programs of a directory of `\EFI`, its name in capitals.
    func loaders(in folder: String) -> [EFILoader] {
        loaders.filter { $0.names.count == 3 && $0.folder == folder }
    }

    /// The program of that name, in capitals, in a directory of `\EFI`.
    func loader(_ name: String, in folder: String) -> EFILoader? {
        loaders(in: folder).first { $0.key == name }
    }

    /// The lists that fallback.efi of a machine reads: of a directory's the one that has the machine in its name.
    func lists(for machine: PEImage.Machine) -> [BootCSV] {
        let names = ["BOOT\(machine.suffix.uppercased()).CSV", "BOOT.CSV"]
        var found: [BootCSV] = []
        for list in lists where !found.contains(where: { $0.folder == list.folder }) {
            let own = lists.filter { $0.folder == list.folder }
            if let read = names.lazy.compactMap({ name in own.first { $0.name == name } }).first {
                found.append(read)
            }
        }
        return found
    }

    /// Directories of `\EFI` with programs, but for the fallback's own.
    package var vendors: [String] {
        var found: [String] = []
        for loader in loaders where loader.names.count == 3 && loader.folder != "BOOT" {
            if !found.contains(loader.names[1]) { found.append(loader.names[1]) }
        }
        return found
    }
}

extension EFISystemPartition {
    /// No partition has more directories or programs than this.
    private static let limit = 64

    /// systemd-boot shows what says which program or kernel is to be started, and passes over the rest.
    private static func offersEntries(_ tree: FileSystemTree) throws(StorageError) -> Bool {
        for name in try tree.names(in: "/loader/entries").prefix(ScanBudget.fileLimit)
        where name.lowercased().hasSuffix(".conf") {
            guard let bytes = try tree.configuration(GuestPath("/loader/entries/\(name)")) else { continue }
            for line in TextLine.all(in: bytes) {
                let words = bytes.fields(in: line.content)
                if words.count > 1, ["linux", "efi", "uki"].contains(bytes.text(words[0])) { return true }
            }
        }
        return false
    }

    /// Reads a partition by its own file system. `place` is where the guest mounts it; nil: nowhere.
    init(volume: Int, _ tree: FileSystemTree, place: GuestPath?) throws(StorageError) {
        self.volume = volume
        func placed(_ file: GuestFile) -> GuestFile {
            guard let place else { return file }
            var file = file
            file.path = file.path.isRoot ? place : place.appending(file.path.bytes.dropFirst())
            return file
        }
        guard let root = try tree.find(.root) else { return }
        defer {
            if loaders(in: "LINUX").contains(where: { $0.kind == .unifiedKernel && $0.fault == nil }) {
                hasEntries = true
            }
        }
        hasEntries = try Self.offersEntries(tree)
        let efi = try Self.child("EFI", of: root, in: tree)
        if let efi, efi.attributes.type == .directory {
            fallbackPlace = DirectoryPlace(directory: placed(efi), missing: [Array("BOOT".utf8)])
            for entry in try Self.children(of: efi, in: tree) {
                guard let name = String(validating: entry.path.lastComponent ?? [], as: UTF8.self) else {
                    continue
                }
                guard entry.attributes.type == .directory else {
                    if name.uppercased() == "BOOT" { fallbackPlace = nil }
                    continue
                }
                folders[name.uppercased()] = placed(entry)
                if name.uppercased() == "BOOT" { fallbackPlace = DirectoryPlace(directory: placed(entry)) }
                try read(entry, name, efi, tree, placed)
            }
            let order = try tree.entries(of: efi).map { String(decoding: $0.name, as: UTF8.self) }
            lists.sort { (order.firstIndex(of: $0.folder) ?? 0) < (order.firstIndex(of: $1.folder) ?? 0) }
        } else if efi == nil {
            fallbackPlace = DirectoryPlace(
                directory: placed(root), missing: [Array("EFI".utf8), Array("BOOT".utf8)])
        }
    }

    private mutating func read(
        _ folder: GuestFile, _ name: String, _ efi: GuestFile, _ tree: FileSystemTree,
        _ placed: (GuestFile) -> GuestFile
    ) throws(StorageError) {
        for file in try Self.children(of: folder, in: tree) {
            guard let own = String(validating: file.path.lastComponent ?? [], as: UTF8.self) else { continue }
            let key = own.uppercased()
            let efiName = String(decoding: efi.path.lastComponent ?? [], as: UTF8.self)
            guard file.attributes.type == .regular else {
                // Nothing can be put where it stands.
                if name.uppercased() == "BOOT", key.hasSuffix(".EFI"), loaders.count < Self.limit {
                    var loader = EFILoader(names: [efiName, name, own], file: placed(file), kind: .other)
                    loader.fault = .directory
                    loaders.append(loader)
                }
                continue
            }
            if key.hasSuffix(".EFI"), loaders.count < Self.limit {
                var loader = try EFILoader([efiName, name, own], file, in: tree)
                loader.file = placed(file)
                loaders.append(loader)
            } else if key.hasSuffix(".CFG") || key.hasSuffix(".CONF") {
                configurations["\(name.uppercased())/\(key)"] = placed(file)
            } else if key.hasPrefix("BOOT"), key.hasSuffix(".CSV"), name.uppercased() != "BOOT" {
                lists.append(
                    BootCSV(folder: name, name: own, try tree.head(of: file, byteCount: BootCSV.byteLimit)))
            }
        }
    }

    /// What a directory holds, in the order of names.
    private static func children(
        of directory: GuestFile, in tree: FileSystemTree
    ) throws(StorageError) -> [GuestFile] {
        var found: [GuestFile] = []
        for entry in try tree.entries(of: directory).sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }
        ) {
            guard found.count < limit * 4 else { break }
            if let file = try tree.child(entry.name, of: directory) { found.append(file) }
        }
        return found
    }

    private static func child(
        _ name: String, of directory: GuestFile, in tree: FileSystemTree
    ) throws(StorageError) -> GuestFile? {
        try children(of: directory, in: tree).first {
            String(decoding: $0.path.lastComponent ?? [], as: UTF8.self).uppercased() == name
        }
    }
}
