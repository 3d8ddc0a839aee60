internal import CLinux
internal import Glibc
internal import Storage

// The calls.

extension HostFile {
    func readDisk(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        var done = 0
        let total = target.byteCount
        guard let position = Int64(exactly: offset), position <= Int64.max - Int64(total) else {
            throw shortFile(at: offset, total)
        }
        while done < total {
            let got = try unsafe target.withUnsafeMutableBytes { (buffer) throws(StorageError) -> Int in
                guard let base = buffer.baseAddress else { return 0 }
                return try call("read", offset: offset) {
                    unsafe pread(descriptor, base + done, total - done, Int(position) + done)
                }
            }
            if got == 0 { throw shortFile(at: offset, total) }
            done += got
        }
    }

    func writeDisk(_ source: RawSpan, at offset: UInt64) throws(StorageError) {
        HostTrace.note { .write(path, offset: offset, bytes: source.array(0..<source.byteCount)) }
        var done = 0
        let total = source.byteCount
        while done < total {
            let put = try unsafe source.withUnsafeBytes { (buffer) throws(StorageError) -> Int in
                guard let base = buffer.baseAddress else { return 0 }
                return try call("write", offset: offset) {
                    unsafe pwrite(descriptor, base + done, total - done, Int(offset) + done)
                }
            }
            if put == 0 {
                throw .io("host file", operation: "write", errno: ENOSPC, path: path, offset: offset)
            }
            done += put
        }
    }

    /// st_size; nil when it cannot be told.
    var hostLength: UInt64? {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return nil }
        return UInt64(max(status.st_size, 0))
    }

    func truncateDisk(to length: UInt64) throws(StorageError) {
        HostTrace.note { .truncate(path, length: length) }
        guard let size = Int(exactly: length) else {
            throw .io("host file", operation: "ftruncate", errno: EFBIG, path: path)
        }
        _ = try call("ftruncate") { Int(ftruncate(descriptor, size)) }
    }

    func flushDisk() throws(StorageError) {
        HostTrace.note { .flush(path) }
        _ = try call("fdatasync") { Int(fdatasync(descriptor)) }
    }

    /// A call's answer; made anew when a signal came between.
    func call(
        _ operation: String, offset: UInt64? = nil, _ body: () -> Int
    ) throws(StorageError) -> Int {
        while true {
            let answer = body()
            if answer >= 0 { return answer }
            let number = errno
            guard number == EINTR else {
                throw .io("host file", operation: operation, errno: number, path: path, offset: offset)
            }
        }
    }
}
