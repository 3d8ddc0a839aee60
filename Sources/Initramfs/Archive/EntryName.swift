internal import Storage

/// The name of an entry as a path from the root of the tree, without "." and empty steps.
enum EntryName {
    private static let slash = UInt8(ascii: "/")
    private static let dot = UInt8(ascii: ".")

    /// Throws `corrupt` for a name that leads elsewhere; nil for one that no file can have.
    static func path(_ name: [UInt8], at offset: UInt64) throws(StorageError) -> [UInt8]? {
        // Nearly all of them are written plainly.
        var steps: [ArraySlice<UInt8>] = []
        guard name.first != slash else {
            throw .initramfs(
                .corrupt, .nameLeadsOut, "the name \(name.shellText) is absolute", offset: offset)
        }
        for step in name.split(separator: slash) where step != [dot] {
            guard step != [dot, dot] else {
                throw .initramfs(
                    .corrupt, .nameLeadsOut, "the name \(name.shellText) leads out of the tree",
                    offset: offset)
            }
            guard step.count <= 255 else { return nil }
            steps.append(step)
        }
        return Array(steps.joined(separator: [slash]))
    }

    /// The directory that a path lies in, and its last step; the root lies in itself.
    static func split(_ path: [UInt8]) -> (parent: [UInt8], name: ArraySlice<UInt8>) {
        guard let last = path.lastIndex(of: slash) else { return ([], path[...]) }
        return (Array(path[..<last]), path[(last + 1)...])
    }

    static func join(_ parent: [UInt8], _ name: some Collection<UInt8>) -> [UInt8] {
        parent.isEmpty ? Array(name) : parent + [slash] + name
    }
}
