package import GuestTree
internal import Storage

/// A directory, with those below it that are still to be made.
package struct DirectoryPlace: Sendable, Equatable {
    /// One that is there.
    package var directory: GuestFile
    /// Names of what is not, from above.
    package var missing: [[UInt8]] = []

    /// Finds a directory, or the nearest one above it; nil where something else stands in its way.
    static func find(_ path: GuestPath, in tree: some GuestTree) throws(StorageError) -> DirectoryPlace? {
        var parts = path.components
        var missing: [[UInt8]] = []
        while let last = parts.last {
            let path = GuestPath(names: parts)
            if let found = try tree.find(path) {
                return found.attributes.type == .directory
                    ? DirectoryPlace(directory: found, missing: missing) : nil
            }
            if try tree.exists(path) { return nil }
            missing.insert(last, at: 0)
            parts.removeLast()
        }
        return nil
    }
}
