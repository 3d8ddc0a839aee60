internal import CLinux
internal import Glibc

/// The few things done to names in host directories.
public enum HostDirectory {
    /// fsync of the directory that holds `path`, so that a name just made or renamed there survives a power cut.
    public static func sync(holding path: String) throws(StorageError) {
        HostTrace.note { .syncDirectory(HostFile.directoryPath(of: path)) }
        let directory = HostFile.directoryPath(of: path)
        let descriptor = unsafe clinux_open(directory, O_RDONLY | O_DIRECTORY, 0)
        guard descriptor >= 0 else {
            throw .io("host directory", operation: "open", errno: errno, path: directory)
        }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw .io("host directory", operation: "fsync", errno: errno, path: directory)
        }
    }

    /// rename(2), replacing what has the name.
    public static func rename(_ from: String, to: String) throws(StorageError) {
        guard unsafe Glibc.rename(from, to) == 0 else {
            throw .io("host directory", operation: "rename", errno: errno, path: to)
        }
    }

    /// unlink(2); a name that does not exist is fine.
    public static func remove(_ path: String) throws(StorageError) {
        HostTrace.note { .remove(path) }
        guard unsafe unlink(path) != 0, errno != ENOENT else { return }
        throw .io("host directory", operation: "unlink", errno: errno, path: path)
    }

    /// Whether something has this name (a dangling link counts).
    public static func exists(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0
    }

    /// Whether `path` is a directory (through links).
    public static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// `path`, or the working directory and `path`; nothing is looked up on the way.
    public static func absolutePath(_ path: String) -> String {
        guard !path.hasPrefix("/"), let pointer = unsafe getcwd(nil, 0) else { return path }
        defer { unsafe free(pointer) }
        return unsafe String(cString: pointer) + "/" + path
    }

    /// The file's identity through links; nil when there is none.
    public static func identity(of path: String) -> HostFile.Identity? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return HostFile.Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// Whether two paths lead to the same file, or to the same name where there is none.
    public static func isSame(_ one: String, _ other: String) -> Bool {
        guard let file = identity(of: one) else { return absolutePath(one) == absolutePath(other) }
        return file == identity(of: other)
    }

    /// mkdir(2); the name must be free.
    public static func create(_ path: String, mode: UInt32 = 0o777) throws(StorageError) {
        guard unsafe mkdir(path, mode) != 0 else { return }
        throw .io("host directory", operation: "mkdir", errno: errno, path: path)
    }

    /// rmdir(2); nothing happens when there is none.
    public static func removeEmpty(_ path: String) throws(StorageError) {
        guard unsafe rmdir(path) != 0, errno != ENOENT else { return }
        throw .io("host directory", operation: "rmdir", errno: errno, path: path)
    }

    /// The path with every link resolved; nil when nothing is there.
    public static func resolved(_ path: String) -> String? {
        guard let pointer = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(pointer) }
        return unsafe String(cString: pointer)
    }

    /// Whether `path` is a regular file (through links).
    public static func isRegularFile(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// The names in a directory, "." and ".." left out; empty when it cannot be read.
    public static func names(in path: String) -> [String] {
        guard let stream = unsafe opendir(path) else { return [] }
        defer { unsafe _ = closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// symlink(2); the name must be free.
    public static func createSymbolicLink(_ path: String, target: [UInt8]) throws(StorageError) {
        let text = target.filter { $0 != 0 } + [0]
        let status = unsafe text.withUnsafeBufferPointer { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { text in
                guard let base = text.baseAddress else { return Int32(-1) }
                return unsafe symlink(base, path)
            }
        }
        guard status == 0 else {
            throw .io("host directory", operation: "symlink", errno: errno, path: path)
        }
    }

    /// chmod and utimensat, links not followed for the times.
    public static func setAttributes(
        of path: String, permissions: UInt16?, modified: Timestamp
    ) throws(StorageError) {
        if let permissions, unsafe chmod(path, UInt32(permissions & 0o777)) != 0 {
            throw .io("host directory", operation: "chmod", errno: errno, path: path)
        }
        let time = timespec(tv_sec: Int(modified.seconds), tv_nsec: Int(modified.nanoseconds))
        let times = [time, time]
        guard unsafe utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw .io("host directory", operation: "utimensat", errno: errno, path: path)
        }
    }
}
