package import Storage

/// The files of the host, by path.
package struct HostFiles: ByteFileStore {
    private let locking: HostFile.Locking
    private let use = KernelUse()

    /// Files that are opened with these locks. New ones are never locked: nobody else knows them.
    package init(locking: HostFile.Locking = .honour) { self.locking = locking }

    package func open(_ path: String, access: FileAccess) throws(StorageError) -> any ByteFile {
        try HostFile.open(path, access: access, locking: locking, among: use)
    }

    package func openSibling(
        of sibling: String, name: String, access: FileAccess
    ) throws(StorageError) -> any ByteFile {
        try HostFile.openSibling(of: sibling, name: name, access: access, locking: locking, among: use)
    }

    package func create(_ path: String) throws(StorageError) -> any ByteFile { try HostFile.create(path) }
    package func remove(_ path: String) throws(StorageError) { try HostDirectory.remove(path) }
    package func identity(of path: String) -> FileIdentity? { HostDirectory.identity(of: path) }
    package func exists(_ path: String) -> Bool { HostDirectory.exists(path) }
    package func isRegularFile(_ path: String) -> Bool { HostDirectory.isRegularFile(path) }
    package func names(in directory: String) -> [String] { HostDirectory.names(in: directory) }
    package func resolved(_ path: String) -> String? { HostDirectory.resolved(path) }
    package func absolutePath(_ path: String) -> String { HostDirectory.absolutePath(path) }
}
