import HostIO
import Storage
import Synchronization
import TestSupport
import Testing

@testable import ImageFormats

/// A map whose file cannot take what is written: what was allocated must never be committed.
private final class BrokenMap: WritableImageMap {
    let file: HostFile
    let commits = Mutex(0)
    init(_ file: HostFile) { self.file = file }
    var byteCount: UInt64 { 1 << 20 }
    var sectorSize: UInt32 { 512 }
    var hostFiles: [any ByteFile] { [file] }
    func extent(at offset: UInt64) throws(StorageError) -> Extent {
        Extent(range: offset..<byteCount, kind: .zero)
    }
    func beginWriting() throws(StorageError) {}
    func prepareWriting(at offset: UInt64) throws(StorageError) -> WriteTarget {
        .allocate(unit: 512, end: byteCount)
    }
    func allocate(_ range: Range<UInt64>) throws(StorageError) -> Allocation {
        // Past what any file can hold.
        Allocation(range: range, file: 0, offset: UInt64(Int64.max))
    }
    func commit() throws(StorageError) { commits.withLock { $0 += 1 } }
}

struct ImageFailureTests {
    @Test func nothingIsCommittedAfterAFailedWrite() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("file", byteCount: 4096)
        let map = BrokenMap(try HostFile.open(path, access: .write))
        let image = Image(map: map)
        #expect(throws: StorageError.self) { try image.write([UInt8](repeating: 1, count: 512), at: 0) }
        #expect(throws: StorageError.self) { try image.flush() }
        #expect(throws: StorageError.self) { try image.write([1], at: 0) }
        #expect(map.commits.withLock { $0 } == 0)
    }
}
