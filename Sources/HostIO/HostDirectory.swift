internal import CLinux
internal import Glibc
public import Storage

/// The few things done to names in host directories.
public enum HostDirectory {
    /// fsync of the directory that holds `path`, so that a name just made or renamed there survives a power cut.
    public static func sync(holding path: String) throws(StorageError) {
        HostTrace.note { .syncDirectory(HostPath.directory(of: path)) }
        let directory = HostPath.directory(of: path)
        let descriptor = unsafe directory.withHostPath { unsafe clinux_open($0, O_RDONLY | O_DIRECTORY, 0) }
        guard descriptor >= 0 else {
            throw .io("host directory", operation: "open", errno: errno, path: directory)
        }
        defer { close(descriptor) }
        while fsync(descriptor) != 0 {
            let number = errno
            if number == EINTR { continue }
            if number == EINVAL { return }
            throw .io("host directory", operation: "fsync", errno: number, path: directory)
        }
    }

    /// rename(2), replacing what has the name.
    public static func rename(_ from: String, to: String) throws(StorageError) {
        let status = unsafe from.withHostPath { from in
            unsafe to.withHostPath { to in unsafe Glibc.rename(from, to) }
        }
        guard status == 0 else {
            throw .io("host directory", operation: "rename", errno: errno, path: to)
        }
        HostTrace.note { .rename(from, to: to) }
    }

    /// unlink(2); a name that does not exist is fine.
    public static func remove(_ path: String) throws(StorageError) {
        HostTrace.note { .remove(path) }
        guard unsafe path.withHostPath({ unsafe unlink($0) }) != 0, errno != ENOENT else { return }
        throw .io("host directory", operation: "unlink", errno: errno, path: path)
    }

    /// Whether something has this name (a dangling link counts).
    public static func exists(_ path: String) -> Bool {
        var status = stat()
        return unsafe path.withHostPath { unsafe lstat($0, &status) } == 0
    }

    /// The same where something hangs on it: throws `io` where that cannot be told.
    package static func isThere(_ path: String) throws(StorageError) -> Bool {
        var status = stat()
        guard unsafe path.withHostPath({ unsafe lstat($0, &status) }) != 0 else { return true }
        let number = errno
        // No file has a name that is too long.
        guard [ENOENT, ENOTDIR, ENAMETOOLONG].contains(number) else {
            throw .io("host directory", operation: "lstat", errno: number, path: path)
        }
        return false
    }

    /// Whether `path` is a directory (through links).
    public static func isDirectory(_ path: String) -> Bool {
        status(of: path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
    }

    /// `path`, or the working directory and `path`; nothing is looked up on the way.
    public static func absolutePath(_ path: String) -> String {
        guard path.utf8.first != UInt8(ascii: "/"), let pointer = unsafe getcwd(nil, 0) else { return path }
        defer { unsafe free(pointer) }
        return unsafe String(hostPath: pointer) + "/" + path
    }

    /// The file's identity through links; nil when there is none.
    public static func identity(of path: String) -> FileIdentity? {
        guard let status = status(of: path) else { return nil }
        return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// Whether two paths lead to the same file, or to the same name where there is none.
    public static func isSame(_ one: String, _ other: String) -> Bool {
        guard let file = identity(of: one) else {
            // Not ==, to which two spellings of a letter are the same.
            guard identity(of: other) == nil,
                HostPath.name(of: one).hostBytes == HostPath.name(of: other).hostBytes
            else { return false }
            guard let folder = identity(of: HostPath.directory(of: one)) else {
                return absolutePath(one).hostBytes == absolutePath(other).hostBytes
            }
            return folder == identity(of: HostPath.directory(of: other))
        }
        return file == identity(of: other)
    }

    /// mkdir(2); the name must be free.
    public static func create(_ path: String, mode: UInt32 = 0o777) throws(StorageError) {
        guard unsafe path.withHostPath({ unsafe mkdir($0, mode) }) != 0 else { return }
        throw .io("host directory", operation: "mkdir", errno: errno, path: path)
    }

    /// rmdir(2); nothing happens when there is none.
    public static func removeEmpty(_ path: String) throws(StorageError) {
        guard unsafe path.withHostPath({ unsafe rmdir($0) }) != 0, errno != ENOENT else { return }
        throw .io("host directory", operation: "rmdir", errno: errno, path: path)
    }

    /// The path with every link resolved; nil when nothing is there.
    public static func resolved(_ path: String) -> String? {
        guard let pointer = unsafe path.withHostPath({ unsafe realpath($0, nil) }) else { return nil }
        defer { unsafe free(pointer) }
        return unsafe String(hostPath: pointer)
    }

    /// Whether `path` is a regular file (through links).
    public static func isRegularFile(_ path: String) -> Bool {
        status(of: path).map { $0.st_mode & S_IFMT == S_IFREG } ?? false
    }

    /// Whether `path` is a named pipe (through links).
    public static func isPipe(_ path: String) -> Bool {
        status(of: path).map { $0.st_mode & S_IFMT == S_IFIFO } ?? false
    }

    /// open(2) of a named pipe for reading, which waits for a writer; -1 and errno.
    public static func openPipe(_ path: String) -> Int32 {
        unsafe path.withHostPath { unsafe clinux_open($0, O_RDONLY, 0) }
    }

    /// The names in a directory, "." and ".." left out; empty when it cannot be read.
    public static func names(in path: String) -> [String] { (try? allNames(in: path)) ?? [] }

    /// The same where something hangs on them: throws `io` where the directory cannot be read to its end. One that is
    /// not there, or that the caller may not read, has none.
    package static func allNames(in path: String) throws(StorageError) -> [String] {
        func failed(_ operation: String) -> StorageError {
            .io("host directory", operation: operation, errno: errno, path: path)
        }
        guard let stream = unsafe path.withHostPath({ unsafe opendir($0) }) else {
            guard [ENOENT, ENOTDIR, EACCES].contains(errno) else { throw failed("opendir") }
            return []
        }
        defer { unsafe _ = closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else { break }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(hostPath: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw failed("readdir") }
        return names.sorted()
    }

    /// The low nine permission bits of a file, through links; nil when there is none.
    public static func permissions(of path: String) -> UInt16? {
        status(of: path).map { UInt16(truncatingIfNeeded: $0.st_mode) & 0o777 }
    }

    /// chmod(2) of a file, of the low nine permission bits, durably; never through a link.
    public static func setPermissions(of path: String, to permissions: UInt16) throws(StorageError) {
        let descriptor = unsafe path.withHostPath { unsafe clinux_open($0, O_RDONLY | O_NOFOLLOW, 0) }
        guard descriptor >= 0 else {
            throw .io("host file", operation: "open", errno: errno, path: path)
        }
        defer { close(descriptor) }
        guard fchmod(descriptor, UInt32(permissions & 0o777)) == 0, fsync(descriptor) == 0 else {
            throw .io("host file", operation: "fchmod", errno: errno, path: path)
        }
    }

    /// Whether the file system that holds a directory lives in memory: a power cut takes what is there.
    package static func isInMemory(_ path: String) -> Bool {
        unsafe path.withHostPath { unsafe clinux_is_in_memory($0) } == 1
    }

    private static func status(of path: String) -> stat? {
        var status = stat()
        return unsafe path.withHostPath { unsafe stat($0, &status) } == 0 ? status : nil
    }
}
