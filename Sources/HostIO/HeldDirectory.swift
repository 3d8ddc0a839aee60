internal import CLinux
internal import Glibc
public import Storage

/// A directory that one process works in until it ends: what a killed one left behind is held by nobody.
///
/// flock(2), which the kernel gives back when the process dies. Where a file system has no such locks nothing is held, and
/// nothing is ever taken for left behind.
public final class HeldDirectory: Sendable {
    private let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Makes a directory that only its owner may look into, and holds it.
    public static func make(_ path: String) throws(StorageError) -> HeldDirectory {
        // Somebody who tidies up may have found it before it was held.
        for _ in 0..<8 {
            try HostDirectory.create(path, mode: 0o700)
            guard let made = open(path) else { continue }
            _ = clinux_hold(made.descriptor, 1)
            if HostDirectory.identity(of: path) == made.identity { return made }
        }
        throw .io("host directory", operation: "flock", errno: EBUSY, path: path)
    }

    /// Removes a directory of the caller's own that nobody holds, with the files in it; one that holds directories stays,
    /// and so does a link.
    public static func removeIfLeft(_ path: String) {
        var status = stat()
        guard let left = open(path), unsafe fstat(left.descriptor, &status) == 0, status.st_uid == geteuid(),
            clinux_hold(left.descriptor, 0) == 0
        else { return }
        for name in HostDirectory.names(in: "/proc/self/fd/\(left.descriptor)") {
            _ = unsafe name.withHostPath { unsafe unlinkat(left.descriptor, $0, 0) }
        }
        try? HostDirectory.removeEmpty(path)
    }

    private static func open(_ path: String) -> HeldDirectory? {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
        let descriptor = unsafe path.withHostPath { unsafe clinux_open($0, flags, 0) }
        return descriptor >= 0 ? HeldDirectory(descriptor) : nil
    }

    private var identity: FileIdentity? {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return nil }
        return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }
}
