/// What can be wrong with reading or writing any file's bytes.
public enum ByteFileCode: String, LayerCode {
    /// The name of the layer.
    public static let layer = "host file"

    /// It ends before what is asked for.
    case shortFile = "short-file"
    /// It was opened for reading only.
    case readOnly = "read-only"
    /// A position that no file has.
    case outOfRange = "out-of-range"
    /// Its length cannot change.
    case fixedLength = "fixed-length"
}

extension ByteFileCode {
    /// The error for reading `count` bytes at `offset` of a file that ends before.
    package static func shortFile(
        _ path: String?, endsAt end: UInt64, at offset: UInt64, _ count: Int
    ) -> StorageError {
        StorageError(
            .corrupt, ByteFileCode.shortFile,
            "the file ends at \(end) and \(count) bytes at \(offset) are needed; it may be truncated",
            offset: offset, path: path)
    }
}

extension ByteFile {
    /// The error for reading `count` bytes at `offset`, which lie past the end.
    package func shortFile(at offset: UInt64, _ count: Int) -> StorageError {
        ByteFileCode.shortFile(path, endsAt: byteCount, at: offset, count)
    }

    /// Where a read of `count` bytes at `offset` ends; a read of none ends where it begins. Throws `corrupt`, code "short-file", past
    /// the end.
    package func endOfRead(at offset: UInt64, count: Int) throws(StorageError) -> UInt64 {
        guard count > 0 else { return offset }
        guard let end = offset +? UInt64(count), end <= byteCount else { throw shortFile(at: offset, count) }
        return end
    }

    /// Where a write of `count` bytes at `offset` ends. Throws `misuse` for a file that is only read, and past 2^63.
    package func endOfWrite(at offset: UInt64, count: UInt64) throws(StorageError) -> UInt64 {
        try requireWritable()
        guard let end = offset +? count, end <= UInt64(Int64.max) else {
            throw StorageError(
                .misuse, ByteFileCode.outOfRange, "cannot write past 2^63", offset: offset, path: path)
        }
        return end
    }

    /// Throws `misuse`, code "read-only".
    package func requireWritable() throws(StorageError) {
        guard access == .write else {
            throw StorageError(
                .misuse, ByteFileCode.readOnly, "was opened for reading only", path: path)
        }
    }
}
