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
    /// What each loader entry of systemd-boot has of the keys that say what is started.
    var entryKeys: [Set<String>] = []
    /// systemd-boot may find entries that were not looked at.
    var hidesEntries = false
    /// Directories of drivers beside loaders, by directory and name in capitals: "REFIND/DRIVERS_X64".
    var drivers: [String: DriverFolder] = [:]
    /// Where each GRUB goes for its menu, by `EFILoader.names`.
    package var trails: [[String]: GRUBTrail] = [:]

    /// A directory of drivers.
    struct DriverFolder: Sendable, Equatable {
        /// Its name.
        var name: String
        /// The directory.
        var directory: GuestFile
        /// Its files.
        var files: [GuestFile]
    }

    /// The directories beside rEFInd that it loads drivers from (refind.conf, scan_driver_dirs).
    func driverFolders(of folder: String, _ machine: PEImage.Machine) -> [DriverFolder] {
        ["DRIVERS", "DRIVERS_\(machine.suffix.uppercased())"].compactMap {
            drivers["\(folder.uppercased())/\($0)"]
        }
    }

    /// A systemd-boot finds an entry to start; nil where that cannot be told. It passes over what has none of the keys that
    /// it knows.
    func hasEntries(for loader: EFILoader) -> Bool? {
        if hidesEntries { return nil }
        let known = loader.entryKeys ?? Set(EFILoader.programKeys)
        return entryKeys.contains { !$0.isDisjoint(with: known) }
            || loaders(in: "LINUX").contains { $0.kind == .unifiedKernel && $0.fault == nil }
    }

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

    /// The keys of each loader entry that say which program or kernel is to be started.
    private static func entryKeys(_ tree: FileSystemTree) throws(StorageError) -> [Set<String>] {
        var found: [Set<String>] = []
        for name in try tree.names(in: "/loader/entries").prefix(ScanBudget.fileLimit)
        where name.lowercased().hasSuffix(".conf") {
            guard let bytes = try tree.configuration(GuestPath("/loader/entries/\(name)")) else { continue }
            let keys = TextLine.all(in: bytes).compactMap { line -> String? in
                let words = bytes.fields(in: line.content)
                return words.count > 1 ? bytes.text(words[0]) : nil
            }
            found.append(Set(keys.filter(EFILoader.programKeys.contains)))
        }
        return found
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
        entryKeys = try Self.entryKeys(tree)
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
                } else if key == "DRIVERS" || key.hasPrefix("DRIVERS_") {
                    let files = try Self.children(of: file, in: tree).filter {
                        $0.attributes.type == .regular
                    }
                    drivers["\(name.uppercased())/\(key)"] = DriverFolder(
                        name: own, directory: placed(file), files: files.map(placed))
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
