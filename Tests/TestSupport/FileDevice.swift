internal import HostIO
package import Storage

/// A raw file as a device, the plainest there is: image formats are another target's.
package final class FileDevice: WritableBlockDevice {
    package let file: any ByteFile
    package let sectorSize: UInt32
    private let isFlushed: Bool
    package var byteCount: UInt64 { file.byteCount }
    package var hostFiles: [any ByteFile] { [file] }

    /// A flush reaches the file unless `isFlushed` is false: where no test cuts the power, it only takes time.
    package init(_ file: any ByteFile, sectorSize: UInt32 = 512, isFlushed: Bool = true) {
        self.file = file
        self.sectorSize = sectorSize
        self.isFlushed = isFlushed
    }

    /// A file of the host, without a lock.
    package convenience init(_ path: String, access: FileAccess = .read) throws {
        self.init(try HostFile.open(path, access: access, locking: .ignore), isFlushed: false)
    }

    package func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: UInt64(target.byteCount))
        try file.read(into: &target, at: offset)
    }

    package func nextExtent(at offset: UInt64) throws(StorageError) -> Extent {
        try checkBounds(at: offset, count: 1)
        return Extent(range: offset..<byteCount, kind: .plain(file: 0, offset: offset))
    }

    package func write(_ source: RawSpan, at offset: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: UInt64(source.byteCount))
        try file.write(source, at: offset)
    }

    package func writeZeroes(at offset: UInt64, count: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: count)
        try file.writeZeroes(at: offset, count: count)
    }

    package func flush() throws(StorageError) { if isFlushed { try file.flush() } }
}
