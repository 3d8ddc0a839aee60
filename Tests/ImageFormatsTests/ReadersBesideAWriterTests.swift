import Dispatch
import Foundation
import HostIO
import ImageFormats
import Storage
import Synchronization
import TestSupport
import Testing

/// Reads of an image beside the one that writes it: space that was allocated and is not filled is never shown.
struct ReadersBesideAWriterTests {
    @Test(
        .enabled(if: Tool.has("qemu-img"), "qemu-img is missing"),
        arguments: ["raw", "qcow2", "vhdx", "vpc", "vmdk"])
    func oldBytesOrNewOnes(_ format: String) throws {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        let path = directory.path("disk.\(format)")
        try Tool.run("qemu-img", ["create", "-q", "-f", format, path, "64M"])
        let disk = try ImageProbe.open(path, options: .init(access: .write)).disk
        // Whole units and parts, many of them: each is allocated while others read. Zeros are there before.
        let places = (0..<24).map { ($0 * (2 << 20) + $0 % 3 * 4096, $0 % 2 == 0 ? 65536 : 5000) }
        try ReadersBesideAWriter(device: disk, places: places, base: 0, isAtomic: false).run()
        try disk.flush()
    }

    /// A read that begins while space is being filled, and one that began before it was allocated and looks where the
    /// bytes are when it is.
    @Test(arguments: [false, true])
    func spaceThatIsNotFilled(_ beginsBefore: Bool) throws {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        // The old bytes, and the space that will be allocated with what it held before.
        let unit = Int(MovingMap.unit)
        let path = try directory.write(
            "disk", [UInt8](repeating: 1, count: unit) + [UInt8](repeating: 0xdd, count: unit))
        let map = MovingMap(try HostFile.open(path, access: .write), waitsForAllocation: beginsBefore)
        let disk = Image(map: map)
        let seen = Mutex<[UInt8]>([])
        let isDone = DispatchSemaphore(value: 0)
        let read: @Sendable () -> Void = {
            // A thread of its own: those of a queue may all be waiting.
            Thread.detachNewThread {
                let bytes = try? disk.bytes(at: 0, count: unit)
                seen.withLock { $0 = bytes ?? [] }
                map.hasRead.signal()
                isDone.signal()
            }
        }
        if beginsBefore {
            read()
            map.isLookedUp.wait()
        } else {
            map.whenAllocated.withLock { $0 = read }
        }
        try disk.write([UInt8](repeating: 2, count: unit), at: 0)
        isDone.wait()
        let isNew = seen.withLock { $0 } == [UInt8](repeating: 2, count: unit)
        #expect(isNew)
    }
}

/// One unit, which moves to the second half of its file when it is written.
private final class MovingMap: WritableImageMap {
    static let unit: UInt64 = 65536
    let hostFiles: [any ByteFile]
    let byteCount = MovingMap.unit
    let sectorSize: UInt32 = 512
    private let isMoved = Atomic<Bool>(false)
    private let waits: Atomic<Bool>
    private let isAllocated = DispatchSemaphore(value: 0)
    let isLookedUp = DispatchSemaphore(value: 0)
    let hasRead = DispatchSemaphore(value: 0)
    let whenAllocated = Mutex<(@Sendable () -> Void)?>(nil)

    init(_ file: HostFile, waitsForAllocation: Bool) {
        hostFiles = [file]
        waits = Atomic(waitsForAllocation)
    }

    func extent(at offset: UInt64) throws(StorageError) -> Extent {
        if waits.exchange(false, ordering: .sequentiallyConsistent) {
            isLookedUp.signal()
            isAllocated.wait()
        }
        let start = isMoved.load(ordering: .sequentiallyConsistent) ? Self.unit : 0
        return Extent(range: offset..<Self.unit, kind: .plain(file: 0, offset: start + offset))
    }

    func beginWriting() throws(StorageError) {}
    func prepareWriting(at offset: UInt64) throws(StorageError) -> WriteTarget {
        .allocate(unit: Self.unit, end: Self.unit)
    }

    func allocate(_ range: Range<UInt64>) throws(StorageError) -> Allocation {
        isMoved.store(true, ordering: .sequentiallyConsistent)
        isAllocated.signal()
        whenAllocated.withLock { $0 }?()
        // Time for a read that does not wait for the space to be filled; one that does, ends after it.
        _ = hasRead.wait(timeout: .now() + .seconds(1))
        return Allocation(range: range, file: 0, offset: Self.unit)
    }

    func commit() throws(StorageError) {}
}
