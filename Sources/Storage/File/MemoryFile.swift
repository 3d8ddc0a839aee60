internal import Synchronization

/// Bytes in memory as a file.
package final class MemoryFile: ByteFile {
    package let path: String
    package var access: FileAccess { .write }
    private let contents: Mutex<[UInt8]>
    private let byteLimit: Int

    /// A file of these bytes that refuses to grow past `byteLimit`.
    package init(_ bytes: [UInt8] = [], path: String = "(memory)", byteLimit: Int = 1 << 30) {
        contents = Mutex(bytes)
        self.path = path
        self.byteLimit = byteLimit
    }

    package var byteCount: UInt64 { contents.withLock { UInt64($0.count) } }

    /// A copy of all of it.
    package var bytes: [UInt8] { contents.withLock { $0 } }

    package func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try Cancellation.check()
        guard target.byteCount > 0 else { return }
        let held = bytes
        guard let end = offset +? UInt64(target.byteCount), end <= UInt64(held.count) else {
            throw shortFile(at: offset, target.byteCount)
        }
        target.copy(held.span8.extracting(Int(offset)..<Int(end)), to: 0)
    }

    /// Throws `refused`, code "memory-bound", beyond the limit.
    package func write(_ source: RawSpan, at offset: UInt64) throws(StorageError) {
        try Cancellation.check()
        let end = try requireRoom(try endOfWrite(at: offset, count: UInt64(source.byteCount)))
        contents.withLock { bytes in
            if bytes.count < end { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
            bytes.withMutableBytes { $0.copy(source, to: Int(offset)) }
        }
    }

    /// Throws `refused`, code "memory-bound", beyond the limit.
    package func truncate(to length: UInt64) throws(StorageError) {
        let length = try requireRoom(length)
        contents.withLock { bytes in
            if bytes.count > length { bytes.removeLast(bytes.count - length) }
            bytes += [UInt8](repeating: 0, count: length - bytes.count)
        }
    }

    /// Nothing to do: memory has no order.
    package func flush() throws(StorageError) {}

    private func requireRoom(_ end: UInt64) throws(StorageError) -> Int {
        guard let end = Int(exactly: end), end <= byteLimit else {
            throw .memoryBound(
                ByteFileCode.layer, "would become larger than \(byteLimit) bytes of memory"
            ).inFile(path)
        }
        return end
    }
}
