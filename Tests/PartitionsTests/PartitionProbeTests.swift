internal import Storage
internal import Synchronization
internal import TestSupport
internal import Testing

@testable internal import Partitions

/// What is asked of a disk's partitions twice is looked at once.
struct PartitionProbeTests {
    /// A device of zeros that counts what is read of it.
    private final class CountingDevice: BlockDevice {
        let byteCount: UInt64 = 1 << 20
        let sectorSize: UInt32 = 512
        let hostFiles: [any ByteFile] = []
        let reads = Atomic<Int>(0)

        func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
            try checkBounds(at: offset, count: UInt64(target.byteCount))
            reads.add(1, ordering: .relaxed)
            target.zero(0..<target.byteCount)
        }

        func nextExtent(at offset: UInt64) throws(StorageError) -> Extent {
            Extent(range: offset..<byteCount, kind: .computed)
        }
    }

    @Test func eachPartitionIsLookedAtOnce() throws {
        let device = CountingDevice()
        var partitions = PartitionProbe(device, VolumeProbe([]))
        let first = try partitions.candidates(0..<(512 << 10))
        let count = device.reads.load(ordering: .relaxed)
        #expect(count > 0)
        #expect(try partitions.candidates(0..<(512 << 10)) == first)
        #expect(device.reads.load(ordering: .relaxed) == count)
        _ = try partitions.candidates((512 << 10)..<(1 << 20))
        #expect(device.reads.load(ordering: .relaxed) > count)
    }
}
