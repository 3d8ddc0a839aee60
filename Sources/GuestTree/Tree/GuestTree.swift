package import Storage

/// The guest's directory tree, put together from its volumes, as far as the patcher needs it.
package protocol GuestTree: Sendable {
    /// The file at an absolute path. The last component's symbolic link is followed unless `followLast` is
    /// false. Nil when nothing is there, when a link leads nowhere or in circles, or when the path crosses a
    /// mount whose file system cannot be read.
    func find(_ path: GuestPath, followLast: Bool) throws(StorageError) -> GuestFile?
    /// The names in a directory.
    func entries(of directory: GuestFile) throws(StorageError) -> [DirectoryEntry]
    /// The whole of a regular file; `refused` when longer than `limit` bytes.
    func contents(of file: GuestFile, limit: Int) throws(StorageError) -> [UInt8]
    /// The first bytes of a regular file, at most `byteCount`.
    func head(of file: GuestFile, byteCount: Int) throws(StorageError) -> [UInt8]
    /// Reads up to `target.byteCount` bytes of a regular file from byte `offset` on; returns how many, 0 at the end.
    func read(
        _ file: GuestFile, into target: inout MutableRawSpan, at offset: UInt64
    ) throws(StorageError) -> Int
    /// Where a symbolic link points, as it is written.
    func linkTarget(of link: GuestFile) throws(StorageError) -> [UInt8]
    /// Why a file or directory could not be read, where the tree went on past that; nil: nothing is known of it.
    func damage(of file: GuestFile) -> StorageError?
    /// The same of what lies at a path, where the way there could not be walked.
    func damage(at path: GuestPath) -> StorageError?
    /// The same tree, which remembers a directory's names while file after file of it is looked for. Nothing in it may change
    /// meanwhile.
    func rememberingNames() -> Self
}

extension GuestTree {
    package func damage(of file: GuestFile) -> StorageError? { nil }
    package func damage(at path: GuestPath) -> StorageError? { nil }
    package func rememberingNames() -> Self { self }

    /// The file at an absolute path, links followed.
    package func find(_ path: GuestPath) throws(StorageError) -> GuestFile? {
        try find(path, followLast: true)
    }

    /// The regular file at a path, links followed.
    package func regularFile(_ path: GuestPath) throws(StorageError) -> GuestFile? {
        guard let file = try find(path), file.attributes.type == .regular else { return nil }
        return file
    }

    /// Whether anything is at a path, be it a link that leads nowhere.
    package func exists(_ path: GuestPath) throws(StorageError) -> Bool {
        try find(path, followLast: false) != nil
    }

    /// Names of the entries of a directory, sorted, those that are UTF-8; none when there is no such directory.
    package func names(in path: GuestPath) throws(StorageError) -> [String] {
        guard let directory = try find(path), directory.attributes.type == .directory else { return [] }
        // A name that is not UTF-8 cannot be one that the patcher looks for.
        return try entries(of: directory).compactMap { String(validating: $0.name, as: UTF8.self) }
            .sortedUnlessStopped(by: <)
    }

    /// At most `byteCount` bytes of a regular file from byte `offset` on; none behind its end.
    package func part(
        of file: GuestFile, at offset: UInt64, byteCount: Int
    ) throws(StorageError) -> [UInt8] {
        guard offset < file.attributes.size, byteCount > 0 else { return [] }
        let count = min(byteCount, Int(clamping: file.attributes.size - offset))
        var result = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = try result.withMutableBytes { (span) throws(StorageError) -> Int in
                var rest = span.part(done..<count)
                return try read(file, into: &rest, at: offset + UInt64(done))
            }
            guard got > 0 else { return Array(result.prefix(done)) }
            done += got
        }
        return result
    }

    /// The bytes of a configuration file; nil when it is absent, no regular file, or longer than any real one.
    package func configuration(_ path: GuestPath) throws(StorageError) -> [UInt8]? {
        guard let file = try regularFile(path), file.attributes.size <= UInt64(configurationLimit) else {
            return nil
        }
        return try contents(of: file, limit: configurationLimit)
    }
}

/// No text that a boot loader or init script reads is longer than this many bytes.
package let configurationLimit = 4 << 20

/// No directory that holds configuration, kernels, modules or loaders has more names than this.
package let configurationNameLimit = 1 << 18
