/// A range of another file as a file: a member of an archive. Its length is what it is.
package final class ByteRangeFile: ByteFile {
    private let base: any ByteFile
    private let range: Range<UInt64>
    package let path: String
    package var access: FileAccess { base.access }
    package var byteCount: UInt64 { range.upperBound - range.lowerBound }
    package var hasFixedLength: Bool { true }
    package var sectorSize: UInt32 { base.sectorSize }
    package var modificationTime: Int64? { base.modificationTime }

    /// The bytes `range` of `base` under a name of their own. Throws `corrupt`, code "short-file", when it ends before.
    package init(_ base: any ByteFile, range: Range<UInt64>, path: String) throws(StorageError) {
        let length = base.byteCount
        guard range.upperBound <= length else {
            throw StorageError(
                .corrupt, ByteFileCode.shortFile,
                "the file ends at \(length) and \(path.hostBytes.shellText) in it at \(range.upperBound); it may be "
                    + "truncated", offset: range.lowerBound, path: base.path)
        }
        self.base = base
        self.range = range
        self.path = path
    }

    package func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        guard target.byteCount > 0 else { return }
        _ = try endOfRead(at: offset, count: target.byteCount)
        try base.read(into: &target, at: range.lowerBound + offset)
    }

    /// Throws `misuse`, code "fixed-length", past the end.
    package func write(_ source: RawSpan, at offset: UInt64) throws(StorageError) {
        try requireRoom(to: try endOfWrite(at: offset, count: UInt64(source.byteCount)))
        try base.write(source, at: range.lowerBound + offset)
    }

    /// Throws `misuse`, code "fixed-length", for any other length.
    package func truncate(to length: UInt64) throws(StorageError) {
        try requireWritable()
        guard length != byteCount else { return }
        throw fixed(at: length)
    }

    package func flush() throws(StorageError) { try base.flush() }

    package func nextDataOrHole(at offset: UInt64) throws(StorageError) -> (isData: Bool, end: UInt64) {
        guard offset < byteCount else { throw shortFile(at: offset, 1) }
        let run = try base.nextDataOrHole(at: range.lowerBound + offset)
        return (run.isData, min(run.end, range.upperBound) - range.lowerBound)
    }

    package func writeZeroes(at offset: UInt64, count: UInt64) throws(StorageError) {
        try requireRoom(to: try endOfWrite(at: offset, count: count))
        try base.writeZeroes(at: range.lowerBound + offset, count: count)
    }

    package func cloneOrigin(at offset: UInt64) -> (file: any ByteFile, offset: UInt64)? {
        guard let place = range.lowerBound +? offset else { return nil }
        return base.cloneOrigin(at: place)
    }

    package func startWriteback() { base.startWriteback() }
    package func awaitWriteback() throws(StorageError) { try base.awaitWriteback() }

    private func requireRoom(to end: UInt64) throws(StorageError) {
        guard end <= byteCount else { throw fixed(at: end) }
    }

    private func fixed(at offset: UInt64) -> StorageError {
        StorageError(
            .misuse, ByteFileCode.fixedLength,
            "is part of another file and keeps its length of \(byteCount) bytes",
            offset: offset, path: path)
    }
}
