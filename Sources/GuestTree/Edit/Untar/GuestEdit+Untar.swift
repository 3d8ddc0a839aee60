public import Storage

extension GuestEdit {
    /// Unpacks a tar archive (ustar, pax, GNU) into a directory of the guest: owners by number, modes, times, links,
    /// devices, extended attributes and ACLs. What is in the way of a file is replaced; directories that are there,
    /// and links that lead to one, stay, and get the owner, mode and times of the archive's, the destination itself those
    /// of its member ".". A file without an SELinux label in the archive takes its peers'.
    ///
    /// A name with ".." in it, and one that leads through a symbolic link from the archive itself, is refused. Large
    /// archives go in several transactions, each of which leaves a sound file system with part of the tree. An archive
    /// without its end, an empty one too, is one that was cut off.
    ///
    /// Returns how many members were unpacked. `report` hears, once, that a "/" at the beginning of names was left out.
    @discardableResult
    public func untar(
        _ archive: FileContents, into path: GuestPath, report: @escaping (String) -> Void = { _ in }
    ) throws(StorageError) -> Int {
        let top = try require(path, followLast: true)
        guard top.attributes.type == .directory else {
            throw error(.refused, .notADirectory, "\(path.shellText) is no directory")
        }
        var unpacking = Unpacking(self, top, TarReader(archive), report)
        return try unpacking.run()
    }
}
