internal import GuestTree
internal import Storage

/// Finds and reads a guest's configuration files.
enum GuestScan {
    /// The files, the names of those that are larger than any real one and so are left alone, and those that cannot be read
    /// and whose names of devices or entries a boot may need.
    static func files(
        of tree: some GuestTree
    ) throws(StorageError) -> (files: [ScannedFile], oversized: [String], unreadable: [UnreadableFile]) {
        var unreadable: [UnreadableFile] = []
        var files: [ScannedFile] = []
        var oversized: [String] = []
        var seen: Set<FileKey> = []
        func read(_ path: String, _ syntax: any ConfigurationSyntax.Type) throws(StorageError) {
            let found = try tree.regularFile(GuestPath(path))
            if syntax.isNeededToBoot, let damaged = UnreadableFile(path, nil, in: tree) {
                unreadable.append(damaged)
            }
            guard let file = found, seen.insert(file.key).inserted else { return }
            guard file.attributes.size <= UInt64(configurationLimit) else {
                oversized.append(file.displayPath)
                return
            }
            let bytes = try tree.contents(of: file, limit: configurationLimit)
            if let damaged = UnreadableFile(file.displayPath, file, in: tree) {
                if syntax.isNeededToBoot { unreadable.append(damaged) }
                return
            }
            guard bytes.count(where: { $0 == .newline }) <= lineLimit else {
                oversized.append(file.displayPath)
                return
            }
            let scanned = ScannedFile(path, file, syntax, bytes)
            if scanned.sites.count <= siteLimit {
                files.append(scanned)
            } else {
                oversized.append(file.displayPath)
            }
        }
        for (path, syntax) in try candidates(tree, &unreadable) { try read(path, syntax) }
        // Menus that menus name, and those that these name: each file is read once, so that circles end.
        var next = 0
        while next < files.count {
            for (words, syntax) in includes(of: files[next]) {
                for word in Set(words).sorted().prefix(includeLimit) {
                    guard let path = try IncludedPath.find(word, namedIn: files[next], tree),
                        let file = try tree.regularFile(GuestPath(path))
                    else { continue }
                    files[next].includedFiles[word] = file.key
                    if files.count < fileLimit { try read(path, syntax) }
                }
            }
            next += 1
        }
        return (GRUBLinks.linked(files), oversized, unreadable)
    }

    /// The files that a menu names, and the language that they are in.
    private static func includes(
        of file: ScannedFile
    ) -> [(words: [String], syntax: any ConfigurationSyntax.Type)] {
        switch file.syntax {
        case let text as any GRUB2Text:
            [
                (text.menu.includes.filter { !$0.isLoaderEntries }.map(\.word), GRUBIncludedMenu.self),
                (text.menu.environmentFiles, GRUBVariablesFile.self),
            ]
        case let text as Syslinux: [(text.includedWords, Syslinux.self)]
        case let text as any GRUBLegacyText: [(text.legacyMenu.menuFiles, GRUBLegacyIncludedMenu.self)]
        default: []
        }
    }

    /// No file that a boot reads has more lines or device names; work on them may take their square in time.
    private static let lineLimit = 50_000
    private static let siteLimit = 2000
    /// No menu names more menus, and no guest has more files than this.
    private static let includeLimit = 64
    private static let fileLimit = 4096

    private typealias Candidate = (path: String, syntax: any ConfigurationSyntax.Type)

    /// Where the files may be; one that several names lead to is read under the first.
    private static func candidates(
        _ tree: some GuestTree, _ unreadable: inout [UnreadableFile]
    ) throws(StorageError) -> [Candidate] {
        var asked: Set<String> = []
        func names(in directory: String, _ syntax: (any ConfigurationSyntax.Type)?) throws(StorageError)
            -> [String]
        {
            let path = GuestPath(directory)
            let found = try tree.names(in: path)
            guard asked.insert(directory).inserted else { return found }
            if syntax?.isNeededToBoot == false { return found }
            if let damaged = UnreadableFile(directory, try tree.find(path), in: tree) {
                unreadable.append(damaged)
            }
            return found
        }
        var fixed: [Candidate] = []
        var inDirectories: [Candidate] = []
        var ofVendors: [Candidate] = []
        for syntax in ConfigurationSyntaxes.all {
            for place in syntax.places {
                switch place {
                case .path(let path): fixed.append((path, syntax))
                case .directory(let directory, let prefix, let suffix):
                    for name in try names(in: directory, syntax)
                    where name.hasPrefix(prefix)
                        && (name.hasSuffix(suffix)
                            // FAT, which knows no case, has the names of loaders' entries.
                            || directory.hasSuffix("/loader/entries") && name.lowercased().hasSuffix(suffix))
                    {
                        inDirectories.append(("\(directory)/\(name)", syntax))
                    }
                case .dropIns(let directory, let suffix):
                    for name in try names(in: directory, syntax) where name.hasSuffix(suffix + ".d") {
                        for file in try names(in: "\(directory)/\(name)", syntax)
                        where file.hasSuffix(".conf") {
                            inDirectories.append(("\(directory)/\(name)/\(file)", syntax))
                        }
                    }
                case .vendor(let name): ofVendors.append((name, syntax))
                }
            }
        }
        for esp in ["/boot/efi/EFI", "/efi/EFI", "/boot/EFI"] {
            for vendor in try names(in: esp, nil) {
                inDirectories += ofVendors.map { ("\(esp)/\(vendor)/\($0.path)", $0.syntax) }
            }
        }
        return fixed + inDirectories
    }
}
