internal import CLinux
internal import Glibc

extension HostFile {
    /// What a file is known by under all its names in one file system, and told by from a later file that got its
    /// inode number. Unlike `Identity` it stays the same over a restart of the host.
    struct Incarnation: Equatable, Sendable {
        /// st_ino.
        var inode: UInt64
        /// When it was made, in nanoseconds since 1970; 0 where the file system does not say.
        var birth: UInt64
    }

    /// Its incarnation, and how many names it has.
    var names: (incarnation: Incarnation, count: UInt64) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            return (Incarnation(inode: identity.inode, birth: 0), 1)
        }
        return Self.names(of: status, descriptor)
    }

    /// The incarnation of the file at `path`, through links, and how many names it has; nil when it cannot be opened.
    static func names(of path: String) -> (incarnation: Incarnation, count: UInt64)? {
        var status = stat()
        // O_PATH: nothing is read, and opening a device has no effect.
        let descriptor = unsafe path.withHostPath { unsafe clinux_open($0, clinux_o_path, 0) }
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard unsafe fstat(descriptor, &status) == 0 else { return nil }
        return names(of: status, descriptor)
    }

    private static func names(
        of status: stat, _ descriptor: Int32
    ) -> (incarnation: Incarnation, count: UInt64) {
        // A device is one by its number, and has as many names as somebody gives it.
        guard status.st_mode & S_IFMT != S_IFBLK else {
            return (Incarnation(inode: 1 << 63 | UInt64(status.st_rdev), birth: 0), 2)
        }
        return (
            Incarnation(inode: UInt64(status.st_ino), birth: clinux_birth_time(descriptor)),
            UInt64(status.st_nlink)
        )
    }
}
