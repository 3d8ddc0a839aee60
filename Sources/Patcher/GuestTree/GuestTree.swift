package import Storage

/// A file of the guest, as its running system would name it: found by following every symbolic link, across
/// mounts. Two paths that lead to the same file give the same volume and number.
package struct GuestFile: Equatable, Sendable {
    /// The path without any symbolic link in it.
    package var path: [UInt8]
    /// Index of the volume it lies on.
    package var volume: Int
    /// Its number there.
    package var id: FileID
    /// What stat(2) tells.
    package var attributes: FileAttributes

    /// Makes a description of a file.
    package init(path: [UInt8], volume: Int, id: FileID, attributes: FileAttributes) {
        self.path = path
        self.volume = volume
        self.id = id
        self.attributes = attributes
    }

    /// The path for people.
    package var displayPath: String { path.displayText }
    /// Which file it is, whatever the path.
    package var key: FileKey { FileKey(volume: volume, id: id) }
}

/// A file's identity over all volumes.
package struct FileKey: Hashable, Sendable {
    /// Index of the volume.
    package var volume: Int
    /// Number of the file there.
    package var id: FileID

    /// Makes an identity.
    package init(volume: Int, id: FileID) {
        self.volume = volume
        self.id = id
    }
}

/// The guest's directory tree, put together from its volumes, as far as the patcher needs it.
package protocol GuestTree: Sendable {
    /// The file at an absolute path. The last component's symbolic link is followed unless `followLast` is
    /// false. Nil when nothing is there, when a link leads nowhere or in circles, or when the path crosses a
    /// mount whose file system cannot be read.
    func find(_ path: [UInt8], followLast: Bool) throws(StorageError) -> GuestFile?
    /// The names in a directory.
    func entries(of directory: GuestFile) throws(StorageError) -> [DirectoryEntry]
    /// The whole of a regular file; `refused` when longer than `limit` bytes.
    func contents(of file: GuestFile, limit: Int) throws(StorageError) -> [UInt8]
    /// The first bytes of a regular file, at most `byteCount`.
    func head(of file: GuestFile, byteCount: Int) throws(StorageError) -> [UInt8]
    /// Where a symbolic link points, as it is written.
    func linkTarget(of link: GuestFile) throws(StorageError) -> [UInt8]
}

extension GuestTree {
    /// The file at an absolute path, links followed.
    package func find(_ path: String) throws(StorageError) -> GuestFile? {
        try find(Array(path.utf8), followLast: true)
    }

    /// The regular file at a path, links followed.
    package func regularFile(_ path: String) throws(StorageError) -> GuestFile? {
        guard let file = try find(path), file.attributes.type == .regular else { return nil }
        return file
    }

    /// Whether anything is at a path, be it a link that leads nowhere.
    package func exists(_ path: String) throws(StorageError) -> Bool {
        try find(Array(path.utf8), followLast: false) != nil
    }

    /// Names of the entries of a directory, sorted, those that are UTF-8; none when there is no such directory.
    package func names(in path: String) throws(StorageError) -> [String] {
        guard let directory = try find(path), directory.attributes.type == .directory else { return [] }
        // A name that is not UTF-8 cannot be one that the patcher looks for.
        return try entries(of: directory).compactMap { String(validating: $0.name, as: UTF8.self) }.sorted()
    }

    /// The bytes of a configuration file; nil when it is absent, no regular file, or longer than any real one.
    package func configuration(_ path: String) throws(StorageError) -> [UInt8]? {
        guard let file = try regularFile(path), file.attributes.size <= UInt64(configurationLimit) else {
            return nil
        }
        return try contents(of: file, limit: configurationLimit)
    }
}

/// No text that a boot loader or init script reads is longer than this many bytes.
package let configurationLimit = 4 << 20
