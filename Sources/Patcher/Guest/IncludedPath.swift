internal import GuestTree
internal import Storage

/// Where a file lies that a menu reads: GRUB by `source` or `configfile`, syslinux by `INCLUDE`.
enum IncludedPath {
    /// The path in the guest's tree; nil where the word hangs on what only GRUB knows, or nothing is there.
    static func find(
        _ word: String, namedIn menu: ScannedFile, _ tree: some GuestTree
    ) throws(StorageError) -> String? {
        for path in candidates(word, namedIn: menu) where try tree.regularFile(GuestPath(path)) != nil {
            return path
        }
        return nil
    }

    private static let directoryVariables = [
        "$prefix", "${prefix}", "$config_directory", "${config_directory}",
    ]

    private static func candidates(_ word: String, namedIn menu: ScannedFile) -> [String] {
        var rest = Substring(word)
        if rest.first == "(" {
            guard let end = rest.firstIndex(of: ")") else { return [] }
            rest = rest[rest.index(after: end)...]
        }
        // `prefix` is the directory of GRUB's own files, which the first menu lies in.
        for variable in directoryVariables where rest.hasPrefix(variable + "/") {
            let name = rest.dropFirst(variable.count)
            guard !name.contains("$") else { return [] }
            return [menu.file.displayPath.directoryPart, "/boot/grub", "/boot/grub2"].map { $0 + name }
        }
        // The directory that the loader was installed in.
        if menu.menuType?.pathBase == .ownDirectory, rest.first != "/" {
            return [menu.file.displayPath.directoryPart + "/" + rest]
        }
        guard rest.first == "/", !rest.contains("$") else { return [] }
        return BootMenuPaths.bases.map { $0 + rest }
    }
}
