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

    /// Of what cannot be read the sectors before the damage are kept, and what is lost is told and reads as zeros.
    @Test func whatIsLostIsZerosAndNoted() throws {
        let contents = SeededBytes.block(40_000, seed: 5)
        let damage = UInt64(9_000)..<UInt64(9_100)
        let device = DiskSalvage(DamagedDevice(bytes: contents, damage: damage, kind: .corrupt))
        let lost = 8_704..<12_288
        var expected = contents
        expected.replaceSubrange(lost, with: [UInt8](repeating: 0, count: lost.count))
        #expect(isSame(try device.bytes(at: 0, count: contents.count), expected))
        #expect(device.lostRanges == [8_704..<12_288])
        let refused = DiskSalvage(DamagedDevice(bytes: contents, damage: damage, kind: .refused))
        let error = #expect(throws: StorageError.self) { try refused.bytes(at: 0, count: contents.count) }
        #expect(error?.kind == .refused && refused.lostRanges.isEmpty)
    }
}

/// A device of which some bytes cannot be read.
private final class DamagedDevice: BlockDevice {
    let bytes: [UInt8]
    let damage: Range<UInt64>
    let kind: StorageError.Kind
    var byteCount: UInt64 { UInt64(bytes.count) }
    var sectorSize: UInt32 { 512 }
    var hostFiles: [any ByteFile] { [] }

    init(bytes: [UInt8], damage: Range<UInt64>, kind: StorageError.Kind) {
        self.bytes = bytes
        self.damage = damage
        self.kind = kind
    }

    func nextExtent(at offset: UInt64) throws(StorageError) -> Extent {
        Extent(range: offset..<byteCount, kind: .computed)
    }

    func read(into target: inout MutableRawSpan, at offset: UInt64) throws(StorageError) {
        let range = offset..<offset + UInt64(target.byteCount)
        guard !range.overlaps(damage) else {
            throw StorageError(kind, FileTreeCode.outOfRange, "cannot be read", layerName: "test")
        }
        let part = Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
        target.copy(part.span8, to: 0)
    }
}
