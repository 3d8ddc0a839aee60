/// Files by key, to be read: a file system as it is, or as a transaction will leave it.
public protocol FileTree: AnyObject {
    /// What kind of file system it is.
    var kind: VolumeIdentity.Kind { get }
    /// The root directory.
    var rootDirectory: FileID { get }

    /// The file called `name` in `directory`, or nil. "." and ".." work. Where the file system takes names that differ
    /// in case only for one (`Capabilities.foldsCase`), so does this; `entries` tell the name as it is kept.
    func lookUp(_ name: [UInt8], in directory: FileID) throws(StorageError) -> FileID?
    /// Calls `body` for each entry ("." and ".." left out) until it returns false.
    func forEachEntry(
        of directory: FileID, _ body: (DirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError)
    /// stat.
    func attributes(of file: FileID) throws(StorageError) -> FileAttributes
    /// Reads up to `target.byteCount` bytes of a regular file; returns how many, 0 at the end.
    func read(_ file: FileID, into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError)
        -> Int
    /// The next run of a regular file's contents that begins at byte `offset`, which is below its size: `zero` for a
    /// hole; `plain` where the bytes lie in the file system's own device (file index 0, offsets in that device);
    /// `computed` or `memory` where only `read` can tell. A file system that says nothing has `computed` to the end.
    func nextExtent(of file: FileID, at offset: UInt64) throws(StorageError) -> Extent
    /// Where a symbolic link points. File systems that know no links have nothing to say.
    func symbolicLinkTarget(of file: FileID) throws(StorageError) -> [UInt8]
    /// All extended attributes; none where the file system knows none.
    func extendedAttributes(of file: FileID) throws(StorageError) -> [ExtendedAttribute]
}

extension FileTree {
    /// `computed` to the file's end.
    public func nextExtent(of file: FileID, at offset: UInt64) throws(StorageError) -> Extent {
        let size = try attributes(of: file).size
        guard offset < size else {
            throw StorageError(
                .misuse, FileTreeCode.outOfRange,
                "byte \(offset) is past the end of file \(file)",
                layerName: kind.rawValue)
        }
        return Extent(range: offset..<size, kind: .computed)
    }

    /// Throws `misuse`: there are no links.
    public func symbolicLinkTarget(of file: FileID) throws(StorageError) -> [UInt8] {
        throw StorageError(
            .misuse, FileTreeCode.notASymbolicLink, "file \(file) is not a symbolic link",
            layerName: kind.rawValue)
    }

    /// None.
    public func extendedAttributes(of file: FileID) throws(StorageError) -> [ExtendedAttribute] { [] }

    /// All entries at once. Throws `corrupt` for a name that no path can have, and `refused`, code "memory-bound", for a
    /// directory of more than `limit`: a damaged one may hold its blocks any number of times.
    public func entries(
        of directory: FileID, limit: Int = DirectoryEntry.listLimit
    ) throws(StorageError) -> [DirectoryEntry] {
        var result: [DirectoryEntry] = []
        try forEachEntry(of: directory) { (entry) throws(StorageError) in
            guard DirectoryEntry.isSound(name: entry.name) else {
                throw StorageError(
                    .corrupt, FileTreeCode.badName,
                    "directory \(directory) holds the name \(entry.name.shellText), which no path can have",
                    layerName: kind.rawValue)
            }
            try Cancellation.check(turn: result.count)
            guard result.count < limit else {
                throw .tooManyNames(kind.rawValue, in: directory, limit: limit)
            }
            result.append(entry)
            return true
        }
        return result
    }

    /// The whole of a regular file, refused when longer than `limit` bytes.
    public func contents(of file: FileID, limit: Int = 64 << 20) throws(StorageError) -> [UInt8] {
        let size = try attributes(of: file).size
        guard let count = Int(exactly: size), count <= limit else {
            throw StorageError(
                .refused, FileTreeCode.fileTooLong,
                "file \(file) has \(size) bytes, more than the \(limit) that are read at once",
                layerName: kind.rawValue)
        }
        return try head(of: file, byteCount: count)
    }

    /// The first bytes of a regular file: `byteCount` of them, fewer where it ends before.
    public func head(of file: FileID, byteCount: Int) throws(StorageError) -> [UInt8] {
        let count = min(byteCount, Int(clamping: try attributes(of: file).size))
        var result = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = try result.withMutableBytes { (span) throws(StorageError) -> Int in
                var part = span.part(done..<count)
                return try read(file, into: &part, at: UInt64(done))
            }
            guard got > 0 else { break }
            done += got
        }
        result.removeLast(count - done)
        return result
    }
}
