import DiskGraft
import Storage
import TestSupport
import Testing

/// A disk that is read as far as it can be.
struct DiskSalvageTests {
    /// Where nothing is lost it is the disk itself, and nothing of it is promised to lie anywhere.
    @Test func aSoundDiskIsShownAsItIs() throws {
        let directory = try TemporaryDirectory()
        let contents =
            SeededBytes.block(90_000, seed: 3) + [UInt8](repeating: 0, count: 60_000)
            + SeededBytes.block(12_345, seed: 4)
        let device = DiskSalvage(try FileDevice(directory.write("disk", contents)))
        try BlockDeviceSuite.reads(device, contents)
        #expect(device.lostRanges.isEmpty && !device.isWritable)
        var position: UInt64 = 0
        while position < device.byteCount {
            let extent = try device.nextExtent(at: position)
            #expect(extent.kind == .zero || extent.kind == .computed)
            position = extent.range.upperBound
        }
    }
}
