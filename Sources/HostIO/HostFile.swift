internal import CLinux
internal import Glibc
public import Storage
internal import Synchronization

/// A file (or block device) of the host that holds an image or an extent of one. All input and output of the
/// engine goes through `pread` and `pwrite` here.
///
/// It keeps its locks until the last reference goes.
public final class HostFile: ByteFile {
    /// Which of qemu's image locks to take.
    public enum Locking: Sendable {
        /// A reader shares with readers and is refused while someone writes; a writer excludes everyone.
        case honour
        /// No lock at all: what is read may be half written.
        case ignore
    }

    /// The path it was opened by, in `String.init(hostBytes:)`'s form as every path of the host here.
    public let path: String
    /// Whether it may be changed.
    public let access: FileAccess
    /// st_dev and st_ino; it always has one.
    public var identity: FileIdentity? { inode }
    /// The logical sector size of a block device; 512 for a regular file.
    public let sectorSize: UInt32
    /// Whether it is a block device, whose length cannot change.
    public let isBlockDevice: Bool
    /// Whether it was opened with its locks.
    let keepsOthersOut: Bool

    /// Whether it is a block device.
    public var hasFixedLength: Bool { isBlockDevice }

    let descriptor: Int32
    let inode: FileIdentity
    private let length: Mutex<UInt64>

    private init(
        descriptor: Int32, path: String, access: FileAccess, identity: FileIdentity, sectorSize: UInt32,
        isBlockDevice: Bool, keepsOthersOut: Bool, length: UInt64
    ) {
        self.descriptor = descriptor
        self.path = path
        self.access = access
        inode = identity
        self.sectorSize = sectorSize
        self.isBlockDevice = isBlockDevice
        self.keepsOthersOut = keepsOthersOut
        self.length = Mutex(length)
    }

    deinit {
        unlock()
        close(descriptor)
    }

    /// Opens a regular file or block device that exists. `followLinks: false` refuses a symbolic link.
    public static func open(
        _ path: String, access: FileAccess = .read, locking: Locking = .honour, followLinks: Bool = true
    ) throws(StorageError) -> HostFile {
        try open(path, access: access, locking: locking, followLinks: followLinks, among: KernelUse())
    }

    /// The same, one of several files: the host's devices are looked through once for all of them.
    package static func open(
        _ path: String, access: FileAccess = .read, locking: Locking = .honour, followLinks: Bool = true,
        among use: KernelUse
    ) throws(StorageError) -> HostFile {
        let mode = access == .write ? O_RDWR : O_RDONLY
        // O_NONBLOCK: opening a FIFO must fail the type check below, not hang.
        let flags = mode | O_NONBLOCK | (followLinks ? 0 : O_NOFOLLOW)
        let descriptor = unsafe path.withHostPath { unsafe clinux_open($0, flags, 0) }
        guard descriptor >= 0 else {
            throw .io("host file", operation: "open", errno: errno, path: path)
        }
        let file = try adopt(
            descriptor, path: path, access: access, keepsOthersOut: locking == .honour)
        if locking == .honour { try file.lock(use) }
        return file
    }

    /// Opens the regular file `name` in the directory of `sibling`: never a link, a device, or a path. Nothing else
    /// is even opened: that alone can have effects on a device.
    public static func openSibling(
        of sibling: String, name: String, access: FileAccess = .read, locking: Locking = .honour
    ) throws(StorageError) -> HostFile {
        try openSibling(of: sibling, name: name, access: access, locking: locking, among: KernelUse())
    }

    /// The same, one of several files.
    package static func openSibling(
        of sibling: String, name: String, access: FileAccess = .read, locking: Locking = .honour,
        among use: KernelUse
    ) throws(StorageError) -> HostFile {
        let directory = HostPath.directory(of: sibling)
        let path = directory == "." && !sibling.utf8.starts(with: "./".utf8) ? name : "\(directory)/\(name)"
        guard DirectoryEntry.isSound(name: name.hostBytes) else {
            throw StorageError(
                .refused, HostFileCode.notAPlainName,
                "\"\(name.hostBytes.displayText)\" is not the plain name of a file beside \(sibling.hostBytes.shellText)",
                path: sibling)
        }
        var status = stat()
        if unsafe path.withHostPath({ unsafe lstat($0, &status) }) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw StorageError(
                .refused, HostFileCode.notARegularFile,
                "is named by an image and is not a regular file", path: path)
        }
        let file = try open(path, access: access, locking: locking, followLinks: false, among: use)
        // Somebody may have put another file there meanwhile.
        guard !file.isBlockDevice else {
            throw StorageError(
                .refused, HostFileCode.notARegularFile,
                "is named by an image and is not a regular file", path: path)
        }
        return file
    }

    /// Creates a file that must not exist, readable and writable, mode 0666 less the umask.
    public static func create(_ path: String, mode: UInt32 = 0o666) throws(StorageError) -> HostFile {
        let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW
        let descriptor = unsafe path.withHostPath { unsafe clinux_open($0, flags, mode) }
        guard descriptor >= 0 else {
            throw .io("host file", operation: "create", errno: errno, path: path)
        }
        HostTrace.note { .create(path) }
        return try adopt(descriptor, path: path, access: .write)
    }

    /// A file without a name in `directory`, which nobody else can open and which goes when it is let go.
    package static func unnamed(in directory: String) throws(StorageError) -> HostFile {
        let descriptor = unsafe directory.withHostPath { unsafe clinux_unnamed_file($0) }
        guard descriptor >= 0 else {
            throw .io("temporary file", operation: "create", errno: errno, path: directory)
        }
        return try adopt(descriptor, path: directory, access: .write)
    }

    static func adopt(
        _ descriptor: Int32, path: String, access: FileAccess, keepsOthersOut: Bool = false
    ) throws(StorageError) -> HostFile {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            let number = errno
            close(descriptor)
            throw .io("host file", operation: "fstat", errno: number, path: path)
        }
        let kind = status.st_mode & S_IFMT
        var length = UInt64(max(status.st_size, 0))
        var sectorSize: UInt32 = 512
        if kind == S_IFBLK {
            guard unsafe clinux_block_device_size(descriptor, &length, &sectorSize) == 0 else {
                let number = errno
                close(descriptor)
                throw .io("host file", operation: "BLKGETSIZE64", errno: number, path: path)
            }
        } else if kind != S_IFREG {
            close(descriptor)
            throw StorageError(
                .refused, HostFileCode.notAFile,
                kind == S_IFDIR
                    ? "is a directory, not a disk image" : "is neither a regular file nor a block device",
                path: path)
        }
        return HostFile(
            descriptor: descriptor, path: path, access: access,
            identity: FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)),
            sectorSize: sectorSize, isBlockDevice: kind == S_IFBLK, keepsOthersOut: keepsOthersOut,
            length: length)
    }

    // MARK: Reading

    /// The length in bytes, as it was last known.
    public var byteCount: UInt64 { length.withLock { $0 } }

    /// Bytes that the file occupies on the host's disk; nil when it cannot be told.
    public var allocatedByteCount: UInt64? {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return nil }
        return UInt64(status.st_blocks) * 512
    }

    /// When the content was last changed, in seconds since 1970; nil when it cannot be told.
    public var modificationTime: Int64? {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return nil }
        return Int64(status.st_mtim.tv_sec)
    }

    /// futimens; a file of another owner keeps the time that it has.
    public func putBack(modificationTime: Int64) {
        guard !isBlockDevice else { return }
        let seconds = Int(modificationTime)
        let times = [timespec(tv_sec: seconds, tv_nsec: 0), timespec(tv_sec: seconds, tv_nsec: 0)]
        _ = unsafe futimens(descriptor, times)
    }

    /// pread, until all of it is there.
    public func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try Cancellation.check()
        guard target.byteCount > 0 else { return }
        try readDisk(into: &target, at: offset)
    }

    /// By SEEK_DATA and SEEK_HOLE; a file system that cannot tell calls all of it data.
    public func nextDataOrHole(at offset: UInt64) throws(StorageError) -> (isData: Bool, end: UInt64) {
        let length = byteCount
        guard !isBlockDevice, let position = Int64(exactly: offset) else { return (true, length) }
        let data = clinux_seek_data(descriptor, position)
        if data < 0 {
            guard errno == ENXIO else { return (true, length) }
            // A hole to the end, or the file was cut short meanwhile: what is gone is no zeros.
            if offset < length, let now = hostLength, now < length {
                throw shortFile(at: offset, Int(clamping: length - offset))
            }
            return (false, length)
        }
        if data > position { return (false, min(UInt64(data), length)) }
        let hole = clinux_seek_hole(descriptor, position)
        guard hole > position else { return (true, length) }
        return (true, min(UInt64(hole), length))
    }

    // MARK: Writing

    /// pwrite, until all of it is there.
    public func write(_ source: RawSpan, at offset: UInt64) throws(StorageError) {
        try Cancellation.check()
        let end = try endOfWrite(at: offset, count: UInt64(source.byteCount))
        // Nothing, wherever: the file does not grow.
        guard source.byteCount > 0 else { return }
        try writeDisk(source, at: offset)
        noteLength(atLeast: end)
    }

    /// ftruncate; new bytes are a hole.
    public func truncate(to length: UInt64) throws(StorageError) {
        try requireWritable()
        try truncateDisk(to: length)
        self.length.withLock { $0 = length }
    }

    /// By a hole where the host can.
    public func writeZeroes(at offset: UInt64, count: UInt64) throws(StorageError) {
        try requireWritable()
        if !isBlockDevice, let start = Int64(exactly: offset), let length = Int64(exactly: count), length > 0,
            let end = offset +? count, end <= byteCount, clinux_punch_hole(descriptor, start, length) == 0
        {
            return HostTrace.note { .zero(path, offset: offset, count: count) }
        }
        try writeZeroesByWriting(at: offset, count: count)
    }

    /// A barrier: fdatasync.
    public func flush() throws(StorageError) { try flushDisk() }

    /// The error for reading past the end, which may lie before where it was when the file was opened.
    func shortFile(at offset: UInt64, _ count: Int) -> StorageError {
        let end = min(byteCount, hostLength ?? byteCount)
        return ByteFileCode.shortFile(path, endsAt: end, at: offset, count)
    }

    /// Asks the host for the length again.
    public func refreshLength() {
        guard !isBlockDevice, let length = hostLength else { return }
        self.length.withLock { $0 = length }
    }

    private func noteLength(atLeast end: UInt64) { length.withLock { $0 = max($0, end) } }

    // MARK: What the host can do

    /// By sync_file_range, piece by piece.
    public func awaitWriteback() throws(StorageError) {
        startWriteback()
        let end = byteCount
        var position: UInt64 = 0
        while position < end {
            try Cancellation.check()
            let count = min(end - position, Self.writebackPiece)
            guard let start = Int64(exactly: position) else { return }
            if clinux_await_writeback(descriptor, start, Int64(count)) != 0 {
                let number = errno
                // Where the host cannot, the flush waits. What the disk refused is said once: the flush would not hear of it.
                guard ![ENOSYS, EINVAL, EOPNOTSUPP, ESPIPE].contains(number) else { return }
                if number == EINTR { continue }
                throw .io("host file", operation: "sync_file_range", errno: number, path: path)
            }
            position += count
        }
    }

    private static let writebackPiece: UInt64 = 8 << 20

    /// By sync_file_range.
    public func startWriteback() { _ = clinux_start_writeback(descriptor) }

    /// FICLONERANGE, where both are files of the host.
    public func clone(
        _ source: any ByteFile, at offset: UInt64, count: UInt64, to target: UInt64
    ) -> Bool {
        guard let origin = source.cloneOrigin(at: offset), let file = origin.file as? HostFile,
            let end = target +? count,
            clinux_clone_range(file.descriptor, origin.offset, descriptor, target, count) == 0
        else { return false }
        noteLength(atLeast: end)
        return true
    }

    /// This file.
    public func cloneOrigin(at offset: UInt64) -> (file: any ByteFile, offset: UInt64)? { (self, offset) }
}
