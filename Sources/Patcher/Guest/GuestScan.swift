internal import GuestTree
internal import Storage

/// Finds and reads a guest's configuration files.
enum GuestScan {
    /// The files, those that are left alone because no real guest has as much, and those that cannot be read, or are left
    /// alone, and whose names of devices or entries a boot may need.
    static func files(
        of tree: some GuestTree, _ places: IncludedPlaces
    ) throws(StorageError) -> (files: [ScannedFile], leftAlone: FilesLeftAlone, unreadable: [UnreadableFile])
    {
        let tree = tree.rememberingNames()
        var scan = Scan(tree)
        for (path, syntax) in try scan.candidates() { try scan.read(path, syntax) }
        // Menus that menus name, and those that these name: each file is read once, so that circles end.
        var next = 0
        while next < scan.files.count {
            for (words, syntax) in scan.files[next].syntax.includedFiles where !words.isEmpty {
                for word in scan.take(includedWords: words, of: scan.files[next], syntax) {
                    guard let found = try places.find(word, namedIn: scan.files[next], tree) else {
                        scan.sayUnfound(word, of: scan.files[next])
                        continue
                    }
                    scan.files[next].includedFiles[word] = found.file.key
                    try scan.read(found, syntax)
                }
            }
            next += 1
        }
        return (try GRUBLinks.linked(scan.files), scan.leftAlone, scan.unreadable)
    }
}
