package import Storage

/// Where a kernel's modules are read from: a guest's tree, what an initramfs unpacks to, a folder.
///
/// Paths begin with "/", at the root of whatever it is; links are followed. What is not there is nil, so that an error
/// means that something could not be read.
package protocol ModuleStore: AnyObject {
    /// What the directory `path` holds, "." and ".." left out; nil when there is no such directory.
    func entries(of path: String) throws(StorageError) -> [ModuleStoreEntry]?
    /// The length of the regular file `path` in bytes; nil when there is none.
    func byteCount(of path: String) throws(StorageError) -> UInt64?
    /// Fills `target` from byte `offset` of the regular file `path` on as far as it goes, and says how many bytes there
    /// were; 0 at its end.
    func read(
        _ path: String, into target: inout MutableRawSpan, at offset: UInt64
    ) throws(StorageError) -> Int
}

/// A name in a directory.
package struct ModuleStoreEntry: Hashable, Sendable {
    /// The name, in `String.init(hostBytes:)`'s form.
    package var name: String
    /// Whether it is a directory itself; a link to one is none, so that a walk ends.
    package var isDirectory: Bool

    /// Makes an entry.
    package init(name: String, isDirectory: Bool) {
        self.name = name
        self.isDirectory = isDirectory
    }
}

extension ModuleStore {
    /// Up to `count` bytes of `path` from `offset` on, fewer only at the file's end.
    func bytes(
        of path: String, at offset: UInt64, count: Int
    ) throws(StorageError) -> [UInt8] {
        var result: [UInt8] = []
        while result.count < count {
            // By the piece: a length that is not true costs no memory.
            var piece = [UInt8](repeating: 0, count: min(count - result.count, 1 << 20))
            let at = offset + UInt64(result.count)
            let got = try piece.withMutableBytes { (span) throws(StorageError) in
                try read(path, into: &span, at: at)
            }
            guard got > 0 else { break }
            result += piece[..<got]
        }
        return result
    }

    /// The whole of the regular file `path`; nil when there is none. Refused above `limit` bytes.
    func contents(of path: String, limit: Int) throws(StorageError) -> [UInt8]? {
        guard let size = try byteCount(of: path) else { return nil }
        guard let count = Int(exactly: size), count <= limit else {
            throw .modules(
                .refused, .fileTooLong,
                "\(size) bytes are more than the \(limit) that are read of such a file",
                path: path)
        }
        let bytes = try bytes(of: path, at: 0, count: count)
        guard bytes.count == count else {
            throw .modules(
                .corrupt, .fileCutShort, "ends after \(bytes.count) of its \(count) bytes", path: path)
        }
        return bytes
    }
}
