internal import HostIO
internal import Storage

/// Files of a store, and those that only what was given leads to: members of archives, and files that a description names.
/// Nothing else can open a member, and what a description names is opened as what lies beside it: never a link.
struct GivenFiles: ByteFileStore {
    /// What was found, by the bytes of the path that it is known by: to strings two spellings of a letter are the same.
    struct Found: Sendable {
        /// Members of archives, and files that are decoded where they are read.
        var members: [[UInt8]: any ByteFile] = [:]
        /// Files beside a description: the description, and the plain name.
        var neighbours: [[UInt8]: (description: String, name: String)] = [:]

        /// There is nothing to add to the store.
        var isEmpty: Bool { members.isEmpty && neighbours.isEmpty }
    }

    private let base: any ByteFileStore
    private let found: Found

    init(_ base: any ByteFileStore, _ found: Found) {
        self.base = base
        self.found = found
    }

    func open(_ path: String, access: FileAccess) throws(StorageError) -> any ByteFile {
        if let member = found.members[path.hostBytes] {
            guard access == .read else { throw Self.readOnly(path) }
            return member
        }
        guard let neighbour = found.neighbours[path.hostBytes] else {
            return try base.open(path, access: access)
        }
        return try base.openSibling(of: neighbour.description, name: neighbour.name, access: access)
    }

    func openSibling(
        of sibling: String, name: String, access: FileAccess
    ) throws(StorageError) -> any ByteFile {
        guard found.members[sibling.hostBytes] != nil else {
            return try base.openSibling(of: sibling, name: name, access: access)
        }
        // A disk in an archive is one file.
        throw StorageError(
            .refused, GuestInputCode.archiveMember,
            "names another file, \(name.hostBytes.shellText), and lies in an archive: unpack that",
            path: sibling)
    }

    func create(_ path: String) throws(StorageError) -> any ByteFile { try base.create(path) }
    func remove(_ path: String) throws(StorageError) { try base.remove(path) }
    func identity(of path: String) -> FileIdentity? {
        found.members[path.hostBytes] == nil ? base.identity(of: path) : nil
    }
    func exists(_ path: String) -> Bool { found.members[path.hostBytes] != nil || base.exists(path) }
    func isRegularFile(_ path: String) -> Bool {
        found.members[path.hostBytes] != nil || base.isRegularFile(path)
    }
    func names(in directory: String) -> [String] { base.names(in: directory) }
    func resolved(_ path: String) -> String? { base.resolved(path) }
    func absolutePath(_ path: String) -> String { base.absolutePath(path) }

    /// What lies in an archive, or is compressed as a whole, is read alone.
    static func readOnly(_ path: String) -> StorageError {
        StorageError(
            .refused, GuestInputCode.archiveMember,
            "lies in an archive or is compressed as a whole, which is never changed in place", path: path,
            remedies: [.migrate, .convert(options: [])])
    }
}
