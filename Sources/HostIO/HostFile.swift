internal import CLinux
internal import Glibc
internal import Synchronization

/// A file (or block device) of the host that holds an image or an extent of one. All input and output of the
/// engine goes through `pread` and `pwrite` here.
///
/// While a `HostTransaction` is open on it, writes, truncation and flushes are recorded instead of done, and
/// reads show the recorded state.
///
/// It is read from many threads beside the one owner that writes: a read shows of a write that goes on meanwhile old bytes
/// or new ones, perhaps both, and of one that has ended the new ones, whether it was recorded, written or both.
public final class HostFile: Sendable {
    /// Whether the file may be changed.
    public enum Access: Sendable { case read, write }

    /// Which of qemu's image locks to take.
    public enum Locking: Sendable {
        /// A reader shares with readers and is refused while someone writes; a writer excludes everyone.
        case honour
        /// No lock at all (`-U`).
        case ignore
    }

    /// What identifies the file whatever it is called.
    public struct Identity: Hashable, Sendable {
        /// st_dev.
        public let device: UInt64
        /// st_ino.
        public let inode: UInt64
    }

    /// The path it was opened by, in `String.init(hostBytes:)`'s form as every path of the host here.
    public let path: String
    /// Whether it may be changed.
    public let access: Access
    /// st_dev and st_ino.
    public let identity: Identity
    /// The logical sector size of a block device; 512 for a regular file.
    public let sectorSize: UInt32
    /// Whether it is a block device, whose length cannot change.
    public let isBlockDevice: Bool

    let descriptor: Int32
    let state: Mutex<State>

    struct State: Sendable {
        var length: UInt64
        var staged: Staging?
    }

    /// The recorded state of a file within a transaction.
    struct Staging: Sendable {
        let transaction: HostTransaction
        let index: Int
        var overlay = PageOverlay()
        var length: UInt64
        /// How much of the file on disk still counts: truncation and regrowth hide what was behind.
        var visibleBase: UInt64
    }

    private init(
        descriptor: Int32, path: String, access: Access, identity: Identity, sectorSize: UInt32,
        isBlockDevice: Bool, length: UInt64
    ) {
        self.descriptor = descriptor
        self.path = path
        self.access = access
        self.identity = identity
        self.sectorSize = sectorSize
        self.isBlockDevice = isBlockDevice
        state = Mutex(State(length: length))
    }

    deinit {
        unlock()
        close(descriptor)
    }

    /// Opens a regular file or block device that exists. `followLinks: false` refuses a symbolic link.
    public static func open(
        _ path: String, access: Access = .read, locking: Locking = .honour, followLinks: Bool = true
    ) throws(StorageError) -> HostFile {
        let mode = access == .write ? O_RDWR : O_RDONLY
        // O_NONBLOCK: opening a FIFO must fail the type check below, not hang.
        let flags = mode | O_NONBLOCK | (followLinks ? 0 : O_NOFOLLOW)
        let descriptor = unsafe path.withHostPath { unsafe clinux_open($0, flags, 0) }
        guard descriptor >= 0 else {
            throw .io("host file", operation: "open", errno: errno, path: path)
        }
        let file = try adopt(descriptor, path: path, access: access)
        if locking == .honour { try file.lock() }
        return file
    }

    /// Opens the regular file `name` in the directory of `sibling`: never a link, a device, or a path. Nothing else
    /// is even opened: that alone can have effects on a device.
    public static func openSibling(
        of sibling: String, name: String, access: Access = .read, locking: Locking = .honour
    ) throws(StorageError) -> HostFile {
        let directory = directoryPath(of: sibling)
        let path = directory == "." && !sibling.utf8.starts(with: "./".utf8) ? name : "\(directory)/\(name)"
        guard DirectoryEntry.isSound(name: name.hostBytes) else {
            throw StorageError(
                .refused, layer: "host file", code: "not-a-plain-name",
                "\"\(name.hostBytes.displayText)\" is not the plain name of a file beside \(sibling.hostBytes.shellText)",
                path: sibling)
        }
        var status = stat()
        if unsafe path.withHostPath({ unsafe lstat($0, &status) }) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw StorageError(
                .refused, layer: "host file", code: "not-a-regular-file",
                "is named by an image and is not a regular file", path: path)
        }
        let file = try open(path, access: access, locking: locking, followLinks: false)
        // Somebody may have put another file there meanwhile.
        guard !file.isBlockDevice else {
            throw StorageError(
                .refused, layer: "host file", code: "not-a-regular-file",
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

    static func adopt(
        _ descriptor: Int32, path: String, access: Access
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
                .refused, layer: "host file", code: "not-a-file",
                kind == S_IFDIR
                    ? "is a directory, not a disk image" : "is neither a regular file nor a block device",
                path: path)
        }
        return HostFile(
            descriptor: descriptor, path: path, access: access,
            identity: Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)),
            sectorSize: sectorSize, isBlockDevice: kind == S_IFBLK, length: length)
    }

    // MARK: Reading

    /// The length in bytes, as a transaction shows it.
    public var byteCount: UInt64 { state.withLock { $0.staged?.length ?? $0.length } }

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

    /// Fills `target` from byte `offset` on. Throws `corrupt`, code "short-file", past the end.
    public func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try Cancellation.check()
        let staged = state.withLock { $0.staged }
        guard let staged else { return try readDisk(into: &target, at: offset) }
        let count = UInt64(target.byteCount)
        guard let end = offset +? count, end <= staged.length else {
            throw shortFile(at: offset, target.byteCount)
        }
        let fromDisk = offset < staged.visibleBase ? min(count, staged.visibleBase - offset) : 0
        if fromDisk > 0 {
            var part = target.part(0..<Int(fromDisk))
            try readDisk(into: &part, at: offset)
        }
        target.zero(Int(fromDisk)..<target.byteCount)
        staged.overlay.apply(to: &target, at: offset)
    }

    /// A copy of `count` bytes at `offset`. Check `count` first when an image supplied it.
    public func bytes(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        try result.withMutableBytes { (span) throws(StorageError) in try read(into: &span, at: offset) }
        return result
    }

    /// As many of `count` bytes at `offset` as the file has.
    public func availableBytes(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        let length = byteCount
        guard offset < length else { return [] }
        return try bytes(at: offset, count: Int(min(UInt64(count), length - offset)))
    }

    /// The run of data or hole that byte `offset` lies in; a file system that cannot tell calls all of it data.
    /// `offset` must be below `byteCount`.
    public func nextDataOrHole(at offset: UInt64) throws(StorageError) -> (isData: Bool, end: UInt64) {
        let (length, staged) = state.withLock { ($0.length, $0.staged) }
        if let staged { return (true, staged.length) }
        guard !isBlockDevice, let position = Int64(exactly: offset) else { return (true, length) }
        let data = clinux_seek_data(descriptor, position)
        if data < 0 {
            return errno == ENXIO ? (false, length) : (true, length)
        }
        if data > position { return (false, min(UInt64(data), length)) }
        let hole = clinux_seek_hole(descriptor, position)
        guard hole > position else { return (true, length) }
        return (true, min(UInt64(hole), length))
    }

    // MARK: Writing

    /// Writes all of `source` at byte `offset`, growing the file when needed.
    public func write(_ source: RawSpan, at offset: UInt64) throws(StorageError) {
        try Cancellation.check()
        try requireWritable()
        guard let end = offset +? UInt64(source.byteCount), end <= UInt64(Int64.max) else {
            throw StorageError(
                .misuse, layer: "host file", code: "out-of-range", "cannot write past 2^63", offset: offset,
                path: path)
        }
        guard try !stageWrite(source, at: offset, end: end) else { return }
        try writeDisk(source, at: offset)
        state.withLock { $0.length = max($0.length, end) }
    }

    /// Writes an array at `offset`.
    public func write(_ bytes: [UInt8], at offset: UInt64) throws(StorageError) {
        try write(bytes.span8, at: offset)
    }

    /// Cuts or extends (with a hole) the file to `length` bytes.
    public func truncate(to length: UInt64) throws(StorageError) {
        try requireWritable()
        guard try !stageTruncation(to: length) else { return }
        try truncateDisk(to: length)
        state.withLock { $0.length = length }
    }

    /// Makes `count` bytes read as zeros, by a hole where the host can.
    public func writeZeroes(at offset: UInt64, count: UInt64) throws(StorageError) {
        try requireWritable()
        let isStaged = state.withLock { $0.staged != nil }
        if !isStaged, !isBlockDevice, let start = Int64(exactly: offset), let length = Int64(exactly: count),
            length > 0, offset +? count != nil, offset + count <= byteCount,
            clinux_punch_hole(descriptor, start, length) == 0
        {
            return HostTrace.note { .zero(path, offset: offset, count: count) }
        }
        let zeros = [UInt8](repeating: 0, count: Int(min(count, 1 << 16)))
        var position = offset
        var left = count
        while left > 0 {
            let step = min(left, UInt64(zeros.count))
            try write(zeros.span8.extracting(0..<Int(step)), at: position)
            position += step
            left -= step
        }
    }

    /// A barrier: fdatasync.
    public func flush() throws(StorageError) {
        if let staging = state.withLock({ $0.staged }) {
            staging.transaction.record(.flush(file: staging.index))
            return try staging.transaction.writeIfLarge()
        }
        try flushDisk()
    }

    /// Waits until what was written is on the disk, piece by piece, so that a request to stop need not wait for all of
    /// it. No barrier: `flush` comes after it.
    public func awaitWriteback() throws(StorageError) {
        startWriteback()
        let end = byteCount
        var position: UInt64 = 0
        while position < end {
            try Cancellation.check()
            let count = min(end - position, Self.writebackPiece)
            // Where the host cannot, the flush waits.
            guard let start = Int64(exactly: position),
                clinux_await_writeback(descriptor, start, Int64(count)) == 0
            else { return }
            position += count
        }
    }

    private static let writebackPiece: UInt64 = 8 << 20

    /// Asks the host to start writing dirty pages to the disk now instead of at the next flush. A hint: it orders
    /// and promises nothing.
    public func startWriteback() { _ = clinux_start_writeback(descriptor) }

    /// Shares `count` bytes of another file with this one (FICLONERANGE). False, and nothing done, where the host's
    /// file system cannot or a transaction is open.
    public func clone(_ source: HostFile, at offset: UInt64, count: UInt64, to target: UInt64) -> Bool {
        guard state.withLock({ $0.staged == nil }), source.state.withLock({ $0.staged == nil }),
            target +? count != nil
        else { return false }
        guard clinux_clone_range(source.descriptor, offset, descriptor, target, count) == 0 else {
            return false
        }
        state.withLock { $0.length = max($0.length, target + count) }
        return true
    }

    private func requireWritable() throws(StorageError) {
        guard access == .write else {
            throw StorageError(
                .misuse, layer: "host file", code: "read-only", "was opened for reading only", path: path)
        }
    }

    /// The directory part of a path, "." where there is none.
    public static func directoryPath(of path: String) -> String {
        // By bytes: to a string's characters a slash with an accent is no slash.
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The last component of a path.
    public static func name(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }
}
