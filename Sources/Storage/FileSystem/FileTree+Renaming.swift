/// What rename(2) refuses, whatever the file system.
extension FileTree {
    /// Throws `misuse` when `directory` is `moved` or lies in it, which would cut itself off, and where the way up from it
    /// does not lead to the root. `layer` is what errors name: "ext4".
    package func requireNotInside(_ directory: FileID, _ moved: FileID, layer: String) throws(StorageError) {
        let up = [UInt8](repeating: UInt8(ascii: "."), count: 2)
        var directory = directory
        var seen: Set<FileID> = []
        while directory != rootDirectory {
            guard directory != moved, seen.insert(directory).inserted,
                let next = try lookUp(up, in: directory)
            else {
                throw StorageError(
                    .misuse, FileTreeCode.intoItself, "a directory cannot be moved into itself",
                    layerName: layer)
            }
            directory = next
        }
    }
}

extension FileType {
    /// Throws `misuse` where a file of this type cannot lose its name to one of `other`.
    package func requireReplaceable(by other: FileType, layer: String) throws(StorageError) {
        guard (self == .directory) == (other == .directory) else {
            throw StorageError(
                .misuse, self == .directory ? FileTreeCode.isADirectory : .notADirectory,
                "a directory replaces only a directory, and a file only a file", layerName: layer)
        }
    }
}
