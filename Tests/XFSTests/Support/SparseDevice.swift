import Foundation
import Storage

/// A file that is read where it lies: samples are hundreds of megabytes, mostly holes.
final class SparseDevice: BlockDevice, @unchecked Sendable {
    private let handle: FileHandle
    private let lock = NSLock()
    let byteCount: UInt64
    let sectorSize: UInt32 = 512
    var hostFiles: [any ByteFile] { [] }

    init(_ path: String) throws {
        handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        byteCount = try handle.seekToEnd()
    }

    func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        try checkBounds(at: offset, count: UInt64(target.byteCount))
        lock.lock()
        defer { lock.unlock() }
        do {
            try handle.seek(toOffset: offset)
            let bytes = [UInt8](try handle.read(upToCount: target.byteCount) ?? Data())
            target.copy(bytes.span8, to: 0)
        } catch {
            throw .io("sample", operation: "read", errno: 5, offset: offset)
        }
    }

    func nextExtent(at offset: UInt64) throws(StorageError) -> Extent {
        Extent(range: offset..<byteCount, kind: .computed)
    }
}
