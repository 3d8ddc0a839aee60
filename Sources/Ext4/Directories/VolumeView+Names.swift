internal import Storage

extension VolumeView {
    /// Calls `body` for every file that a directory names, "." and ".." left out, in the order in which its blocks
    /// hold them, until it returns false.
    ///
    /// Throws `corrupt` at a name that no path can have: one with a slash or NUL in it, and "." or ".." a second
    /// time. The kernel gives up at such a directory too (verify_dirent_name).
    func forEachName(
        of directory: Inode, _ body: (DirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let dot = UInt8(ascii: ".")
        var hasDot = false
        var hasDotDot = false
        try forEachRawEntry(of: directory) { (block, entry) throws(StorageError) in
            let name = block.name(of: entry)
            if name == [dot] {
                guard !hasDot else { throw badName(name, of: directory) }
                hasDot = true
                return true
            }
            if name == [dot, dot] {
                guard !hasDotDot else { throw badName(name, of: directory) }
                hasDotDot = true
                return true
            }
            guard DirectoryEntry.isSound(name: name) else { throw badName(name, of: directory) }
            return try body(DirectoryEntry(name: name, file: FileID(UInt64(entry.inode)), type: entry.type))
        }
    }

    private func badName(_ name: [UInt8], of directory: Inode) -> StorageError {
        if directory.flags.contains(.encrypted) {
            return .ext4(
                .unsupported, .encrypted,
                "the names in the encrypted directory \(directory.name) cannot be read without its key")
        }
        return .ext4(
            .corrupt, .badDirectory,
            "directory \(directory.name) holds the name \(name.shellText), which no path can have; run e2fsck",
            structure: "directory block")
    }
}
