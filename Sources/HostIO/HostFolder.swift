internal import CLinux
internal import Glibc
public import Storage

/// A directory of the host, held open: names are made in it through its descriptor, so that whoever renames
/// directories or lays links meanwhile moves nothing elsewhere. Every name is plain and new, and nothing goes through
/// a link. `path` is for messages only.
public final class HostFolder: Sendable {
    /// What identifies it.
    public let identity: FileIdentity
    /// What it was called when it was opened or made.
    public let path: String
    let descriptor: Int32

    init(descriptor: Int32, path: String) throws(StorageError) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            let number = errno
            close(descriptor)
            throw .io("host directory", operation: "fstat", errno: number, path: path)
        }
        self.descriptor = descriptor
        self.path = path
        identity = FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    deinit { close(descriptor) }

    /// Opens a directory that the caller names; links on the way are the caller's own.
    public static func open(_ path: String) throws(StorageError) -> HostFolder {
        let descriptor = unsafe path.withHostPath { unsafe clinux_open($0, O_RDONLY | O_DIRECTORY, 0) }
        guard descriptor >= 0 else {
            throw .io("host directory", operation: "open", errno: errno, path: path)
        }
        return try HostFolder(descriptor: descriptor, path: path)
    }

    /// Makes a directory and opens it. The name must be free.
    public func makeFolder(_ name: [UInt8], mode: UInt32 = 0o700) throws(StorageError) -> HostFolder {
        let place = try place(name)
        guard unsafe name.withHostName({ unsafe mkdirat(descriptor, $0, mode) }) == 0 else {
            throw .io("host directory", operation: "mkdir", errno: errno, path: place)
        }
        let made = unsafe name.withHostName {
            unsafe clinux_open_beneath(descriptor, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)
        }
        guard made >= 0 else { throw .io("host directory", operation: "open", errno: errno, path: place) }
        return try HostFolder(descriptor: made, path: place)
    }

    /// Makes a regular file, readable and writable. The name must be free.
    public func makeFile(_ name: [UInt8], mode: UInt32 = 0o600) throws(StorageError) -> HostFile {
        let place = try place(name)
        let made = unsafe name.withHostName {
            unsafe clinux_open_beneath(descriptor, $0, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode)
        }
        guard made >= 0 else { throw .io("host file", operation: "create", errno: errno, path: place) }
        HostTrace.note { .create(place) }
        return try HostFile.adopt(made, path: place, access: .write)
    }

    /// Takes away a file that was made here, as far as that goes: it is called where something has failed already.
    public func removeFile(_ name: [UInt8]) {
        guard let place = try? place(name) else { return }
        if unsafe name.withHostName({ unsafe unlinkat(descriptor, $0, 0) }) == 0 {
            HostTrace.note { .remove(place) }
        }
    }

    /// Makes a symbolic link, which is data to this: it leads nowhere here.
    public func makeSymbolicLink(
        _ name: [UInt8], target: [UInt8], modified: Timestamp
    ) throws(StorageError) {
        let place = try place(name)
        let status = unsafe name.withHostName { name in
            unsafe target.withHostName { unsafe symlinkat($0, descriptor, name) }
        }
        guard status == 0 else {
            throw .io("host directory", operation: "symlink", errno: errno, path: place)
        }
        let times = [Self.time(modified), Self.time(modified)]
        guard unsafe name.withHostName({ unsafe utimensat(descriptor, $0, times, AT_SYMLINK_NOFOLLOW) }) == 0
        else { throw .io("host directory", operation: "utimensat", errno: errno, path: place) }
    }

    /// Makes a device node, FIFO or socket with these low twelve mode bits. Devices need the right to.
    public func makeNode(
        _ name: [UInt8], type: FileType, device: FileAttributes.DeviceNumber?, permissions: UInt16,
        modified: Timestamp
    ) throws(StorageError) {
        let place = try place(name)
        let mode = UInt32(type.modeBits | permissions & 0o7777)
        let made = unsafe name.withHostName {
            unsafe clinux_make_node(descriptor, $0, mode, device?.major ?? 0, device?.minor ?? 0)
        }
        guard made == 0 else { throw .io("host directory", operation: "mknod", errno: errno, path: place) }
        let times = [Self.time(modified), Self.time(modified)]
        guard unsafe name.withHostName({ unsafe utimensat(descriptor, $0, times, AT_SYMLINK_NOFOLLOW) }) == 0
        else { throw .io("host directory", operation: "utimensat", errno: errno, path: place) }
    }

    /// The directory that holds this one, which must be the one expected: somebody may have moved this one.
    public func parent(expecting identity: FileIdentity, path: String) throws(StorageError) -> HostFolder {
        let above = clinux_open_parent(descriptor)
        guard above >= 0 else { throw .io("host directory", operation: "open", errno: errno, path: path) }
        let folder = try HostFolder(descriptor: above, path: path)
        guard folder.identity == identity else {
            throw StorageError(
                .refused, HostDirectoryCode.moved,
                "was moved by somebody else while files were copied into it", path: self.path)
        }
        return folder
    }

    /// fchmod and futimens.
    public func setAttributes(permissions: UInt16, modified: Timestamp) throws(StorageError) {
        try Self.setAttributes(of: descriptor, path: path, permissions: permissions, modified: modified)
    }

    static func setAttributes(
        of descriptor: Int32, path: String, permissions: UInt16, modified: Timestamp
    ) throws(StorageError) {
        guard fchmod(descriptor, UInt32(permissions & 0o7777)) == 0 else {
            throw .io("host file", operation: "fchmod", errno: errno, path: path)
        }
        let times = [time(modified), time(modified)]
        guard unsafe futimens(descriptor, times) == 0 else {
            throw .io("host file", operation: "futimens", errno: errno, path: path)
        }
    }

    private static func time(_ time: Timestamp) -> timespec {
        timespec(tv_sec: Int(time.seconds), tv_nsec: Int(time.nanoseconds))
    }

    /// The path of what `names` lead to from `top`, one directory a name; for messages.
    public static func path(_ top: String, _ names: [[UInt8]]) -> String {
        let slash = UInt8(ascii: "/")
        return (top.utf8.last == slash ? top : top + "/")
            + String(hostBytes: Array(names.joined(separator: [slash])))
    }

    /// The path of a name in here, for messages. Throws `corrupt` for a name that is no plain one.
    private func place(_ name: [UInt8]) throws(StorageError) -> String {
        guard DirectoryEntry.isSound(name: name) else {
            throw StorageError(
                .corrupt, HostDirectoryCode.notAPlainName,
                "\(name.shellText) is not a name that a file can have", path: path)
        }
        return path + (path.utf8.last == UInt8(ascii: "/") ? "" : "/") + String(hostBytes: name)
    }
}

extension HostFile {
    /// fchmod and futimens.
    public func setAttributes(permissions: UInt16, modified: Timestamp) throws(StorageError) {
        try HostFolder.setAttributes(
            of: descriptor, path: path, permissions: permissions, modified: modified)
    }
}
