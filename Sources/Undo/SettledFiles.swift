package import Storage

/// Files of a store, of which none is opened for reading whose last change was cut off. Every reader of an image goes
/// through it, for the image, its extents and all that stands behind it: what is half changed anywhere in a chain is wrong
/// in all of it. What is opened for writing is settled before.
package struct SettledFiles: ByteFileStore {
    private let base: any ByteFileStore
    private let place: UndoPlace

    /// The files of another store, whose records lie in `place`.
    package init(_ base: any ByteFileStore, records place: UndoPlace = UndoPlace()) {
        self.base = base
        self.place = place
    }

    /// Throws besides what the store throws `refused`, code "hot" or "record-missing", and `corrupt` for a damaged record.
    package func open(_ path: String, access: FileAccess) throws(StorageError) -> any ByteFile {
        try settled(try base.open(path, access: access))
    }

    package func openSibling(
        of sibling: String, name: String, access: FileAccess
    ) throws(StorageError) -> any ByteFile {
        try settled(try base.openSibling(of: sibling, name: name, access: access))
    }

    package func create(_ path: String) throws(StorageError) -> any ByteFile { try base.create(path) }
    package func remove(_ path: String) throws(StorageError) { try base.remove(path) }
    package func identity(of path: String) -> FileIdentity? { base.identity(of: path) }
    package func exists(_ path: String) -> Bool { base.exists(path) }
    package func isRegularFile(_ path: String) -> Bool { base.isRegularFile(path) }
    package func names(in directory: String) -> [String] { base.names(in: directory) }
    package func resolved(_ path: String) -> String? { base.resolved(path) }
    package func absolutePath(_ path: String) -> String { base.absolutePath(path) }

    /// Asked when the file is open, and locked: no change of it begins after that.
    private func settled(_ file: any ByteFile) throws(StorageError) -> any ByteFile {
        if file.access == .read { try UndoRecord.requireSettled(file.path, in: place) }
        return file
    }
}
