internal import GuestTree
internal import Storage

/// A scan of a guest's configuration files while it goes on.
struct Scan<Tree: GuestTree> {
    /// What was read.
    var files: [ScannedFile] = []
    /// What was not, because no real guest has as much.
    private(set) var leftAlone = FilesLeftAlone()
    /// What cannot be read, or was not, and a boot may need.
    private(set) var unreadable: [UnreadableFile] = []

    private let tree: Tree
    private var budget = ScanBudget()
    private var seen: Set<FileKey> = []
    /// Directories whose damage was noted.
    private var asked: Set<String> = []

    init(_ tree: Tree) { self.tree = tree }

    /// Reads a file by a syntax, unless it is read already or there is none.
    mutating func read(_ path: String, _ syntax: any ConfigurationSyntax.Type) throws(StorageError) {
        try Cancellation.check()
        let found = try tree.regularFile(GuestPath(path))
        if syntax.isNeededToBoot, let damaged = UnreadableFile(path, nil, in: tree) {
            unreadable.append(damaged)
        }
        guard let file = found else { return }
        try read(path, file, syntax, in: tree)
    }

    /// Reads a file that a menu names.
    mutating func read(
        _ found: IncludedPlaces.Found, _ syntax: any ConfigurationSyntax.Type
    ) throws(StorageError) {
        guard let other = found.tree else { return try read(found.path, syntax) }
        try read(found.path, found.file, syntax, in: other)
    }

    private mutating func read(
        _ path: String, _ file: GuestFile, _ syntax: any ConfigurationSyntax.Type, in tree: some GuestTree
    ) throws(StorageError) {
        guard seen.insert(file.key).inserted else { return }
        if let problem = budget.take(byteCount: file.attributes.size) {
            return leave(file.displayPath, syntax, problem)
        }
        let bytes = try tree.contents(of: file, limit: configurationLimit)
        if let damaged = UnreadableFile(file.displayPath, file, in: tree) {
            if syntax.isNeededToBoot { unreadable.append(damaged) }
            return
        }
        if let problem = budget.take(text: bytes) { return leave(file.displayPath, syntax, problem) }
        let scanned = ScannedFile(path, file, syntax, bytes)
        if let problem = budget.take(scanned) { return leave(file.displayPath, syntax, problem) }
        files.append(scanned)
    }

    /// The files that a menu names, as far as so many are looked for.
    mutating func take(
        includedWords: [String], of menu: ScannedFile, _ syntax: any ConfigurationSyntax.Type
    ) -> [String] {
        let words = Set(includedWords).sorted()
        let count = budget.take(includedWordCount: words.count)
        if count < words.count { leave(menu.file.displayPath, syntax, .includes) }
        return Array(words.prefix(count))
    }

    /// Says that a file which a menu reads from a device was not found.
    mutating func sayUnfound(_ word: String, of menu: ScannedFile) {
        // What hangs on variables, and what lies beside the menu, may well be there where GRUB looks.
        guard word.first == "(", !word.contains("$") else { return }
        leftAlone.addUnfound(word, of: menu.file.displayPath)
    }

    private mutating func leave(
        _ path: String, _ syntax: (any ConfigurationSyntax.Type)?, _ problem: ScanBudget.Problem
    ) {
        leftAlone.add(path, problem)
        // One is enough to refuse by.
        if syntax?.isNeededToBoot == true, unreadable.isEmpty {
            unreadable.append(UnreadableFile(path: path, why: problem.words, isOfBounds: true))
        }
    }

    private typealias Candidate = (path: String, syntax: any ConfigurationSyntax.Type)

    /// Where the files may be; one that several names lead to is read under the first.
    mutating func candidates() throws(StorageError) -> [(
        path: String, syntax: any ConfigurationSyntax.Type
    )] {
        var fixed: [Candidate] = []
        var inDirectories: [Candidate] = []
        var ofVendors: [Candidate] = []
        for syntax in ConfigurationSyntaxes.all {
            for place in syntax.places {
                switch place {
                case .path(let path): fixed.append((path, syntax))
                case .directory(let directory, let prefix, let suffix):
                    let found = try names(in: directory, syntax).filter { name in
                        name.hasPrefix(prefix)
                            && (name.hasSuffix(suffix)
                                // FAT, which knows no case, has the names of loaders' entries.
                                || directory.hasSuffix("/loader/entries")
                                    && name.lowercased().hasSuffix(suffix))
                    }
                    take(found.map { "\(directory)/\($0)" }, in: directory, syntax, &inDirectories)
                case .dropIns(let directory, let suffix):
                    let folders = try names(in: directory, syntax).filter { $0.hasSuffix(suffix + ".d") }
                    for name in folders.prefix(ScanBudget.fileLimit) {
                        let folder = "\(directory)/\(name)"
                        let found = try names(in: folder, syntax).filter { $0.hasSuffix(".conf") }
                        take(found.map { "\(folder)/\($0)" }, in: folder, syntax, &inDirectories)
                    }
                    if folders.count > ScanBudget.fileLimit { leave(directory, syntax, .total) }
                case .vendor(let name): ofVendors.append((name, syntax))
                }
            }
        }
        for esp in ["/boot/efi/EFI", "/efi/EFI", "/boot/EFI"] {
            let vendors = try names(in: esp, nil)
            for vendor in vendors.prefix(ScanBudget.vendorLimit) {
                inDirectories += ofVendors.map { ("\(esp)/\(vendor)/\($0.path)", $0.syntax) }
            }
            if vendors.count > ScanBudget.vendorLimit { leave(esp, GRUB2Config.self, .total) }
        }
        return fixed + inDirectories
    }

    /// Takes files of a directory in, as far as so many are looked at.
    private mutating func take(
        _ paths: [String], in directory: String, _ syntax: any ConfigurationSyntax.Type,
        _ candidates: inout [Candidate]
    ) {
        let rest = ScanBudget.fileLimit - candidates.count
        candidates += paths.prefix(max(rest, 0)).map { ($0, syntax) }
        if paths.count > rest { leave(directory, syntax, .total) }
    }

    private mutating func names(
        in directory: String, _ syntax: (any ConfigurationSyntax.Type)?
    ) throws(StorageError) -> [String] {
        try Cancellation.check()
        let path = GuestPath(directory)
        let found = try tree.names(in: path)
        guard asked.insert(directory).inserted else { return found }
        if syntax?.isNeededToBoot == false { return found }
        if let damaged = UnreadableFile(directory, try tree.find(path), in: tree) {
            unreadable.append(damaged)
        }
        return found
    }
}
