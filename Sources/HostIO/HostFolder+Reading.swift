internal import CLinux
internal import Glibc
public import Storage

/// What lies in a directory, looked at through its descriptor: no link is followed, and nothing is opened that could keep the
/// caller waiting.
extension HostFolder {
    /// One thing in it.
    public enum Entry: Sendable {
        /// A directory, opened.
        case folder(HostFolder)
        /// A regular file, opened for reading.
        case file(HostFile)
        /// A symbolic link, and where it points.
        case link(target: [UInt8])
        /// A device, FIFO or socket; or a file that became one meanwhile.
        case other
    }

    /// The low nine permission bits; nil when they cannot be told.
    public var permissions: UInt16? { HostFile.permissions(of: descriptor) }

    /// The names in it, without "." and "..", sorted by their bytes.
    public func names() throws(StorageError) -> [[UInt8]] {
        func failed(_ operation: String) -> StorageError {
            .io("host directory", operation: operation, errno: errno, path: path)
        }
        let own = unsafe clinux_open_beneath(descriptor, ".", O_RDONLY | O_DIRECTORY, 0)
        guard own >= 0 else { throw failed("open") }
        guard let stream = unsafe fdopendir(own) else {
            let error = failed("fdopendir")
            close(own)
            throw error
        }
        defer { unsafe _ = closedir(stream) }
        var names: [[UInt8]] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else { break }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(hostPath: $0).hostBytes
                }
            }
            if DirectoryEntry.isSound(name: name) { names.append(name) }
        }
        guard errno == 0 else { throw failed("readdir") }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// What has a name in it. Throws `io` where nothing has, or it cannot be opened.
    public func entry(_ name: [UInt8]) throws(StorageError) -> Entry {
        let place = HostFolder.path(path, [name])
        func failed(_ operation: String) -> StorageError {
            .io("host file", operation: operation, errno: errno, path: place)
        }
        var status = stat()
        let found = unsafe name.withHostName {
            unsafe fstatat(descriptor, $0, &status, AT_SYMLINK_NOFOLLOW)
        }
        guard found == 0 else { throw failed("fstatat") }
        switch status.st_mode & S_IFMT {
        case S_IFDIR:
            let opened = unsafe name.withHostName {
                unsafe clinux_open_beneath(descriptor, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)
            }
            guard opened >= 0 else { throw failed("open") }
            return .folder(try HostFolder(descriptor: opened, path: place))
        case S_IFREG:
            let opened = unsafe name.withHostName {
                unsafe clinux_open_beneath(descriptor, $0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0)
            }
            guard opened >= 0 else { throw failed("open") }
            let file = try HostFile.adopt(opened, path: place, access: .read)
            return file.isBlockDevice ? .other : .file(file)
        case S_IFLNK:
            var target = [UInt8](repeating: 0, count: 4096)
            let count = unsafe name.withHostName { name in
                unsafe target.withUnsafeMutableBytes { bytes in
                    guard let start = bytes.baseAddress else { return -1 }
                    return unsafe readlinkat(descriptor, name, start, bytes.count)
                }
            }
            guard count >= 0 else { throw failed("readlinkat") }
            return .link(target: Array(target.prefix(count)))
        default: return .other
        }
    }
}

extension HostFile {
    /// The low nine permission bits; nil when they cannot be told.
    public var permissions: UInt16? { Self.permissions(of: descriptor) }

    fileprivate static func permissions(of descriptor: Int32) -> UInt16? {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0
            ? UInt16(truncatingIfNeeded: status.st_mode) & 0o777 : nil
    }
}
