internal import GuestTree
internal import Storage

/// Finds and reads a guest's configuration files.
enum GuestScan {
    /// The files, and the names of those that are larger than any real one and so are left alone.
    static func files(
        of tree: some GuestTree
    ) throws(StorageError) -> (files: [ScannedFile], oversized: [String]) {
        var files: [ScannedFile] = []
        var oversized: [String] = []
        var seen: Set<FileKey> = []
        for (path, syntax) in try candidates(tree) {
            guard let file = try tree.regularFile(GuestPath(path)), seen.insert(file.key).inserted else {
                continue
            }
            guard file.attributes.size <= UInt64(configurationLimit) else {
                oversized.append(file.displayPath)
                continue
            }
            let bytes = try tree.contents(of: file, limit: configurationLimit)
            guard bytes.count(where: { $0 == .newline }) <= lineLimit else {
                oversized.append(file.displayPath)
                continue
            }
            let scanned = ScannedFile(path, file, syntax, bytes)
            if scanned.sites.count <= siteLimit {
                files.append(scanned)
            } else {
                oversized.append(file.displayPath)
            }
        }
        return (files, oversized)
    }

    /// No file that a boot reads has more lines or device names; work on them may take their square in time.
    private static let lineLimit = 50_000
    private static let siteLimit = 2000

    private typealias Candidate = (path: String, syntax: any ConfigurationSyntax.Type)

    /// Where the files may be; one that several names lead to is read under the first.
    private static func candidates(_ tree: some GuestTree) throws(StorageError) -> [Candidate] {
        var fixed: [Candidate] = []
        var inDirectories: [Candidate] = []
        var ofVendors: [Candidate] = []
        for syntax in ConfigurationSyntaxes.all {
            for place in syntax.places {
                switch place {
                case .path(let path): fixed.append((path, syntax))
                case .directory(let directory, let prefix, let suffix):
                    for name in try tree.names(in: GuestPath(directory))
                    where name.hasPrefix(prefix) && name.hasSuffix(suffix) {
                        inDirectories.append(("\(directory)/\(name)", syntax))
                    }
                case .vendor(let name): ofVendors.append((name, syntax))
                }
            }
        }
        for esp in ["/boot/efi/EFI", "/efi/EFI", "/boot/EFI"] {
            for vendor in try tree.names(in: GuestPath(esp)) {
                inDirectories += ofVendors.map { ("\(esp)/\(vendor)/\($0.path)", $0.syntax) }
            }
        }
        return fixed + inDirectories
    }
}
