import HostIO
import ImageFormats
import Storage
import TestSupport
import Testing

/// Blocks one after the other: one extent, as far as it is sound.
struct VHDXFixedTests {
    @Test func aFixedDiskIsOneExtent() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("fixed.vhdx")
        // More blocks than a chunk has, so that bitmap entries lie between; the last block is a partial one.
        let size: UInt64 = 5 << 30 | 512
        let options = ImageCreateOptions(values: [("subformat", "fixed")])
        try VHDXDriver.create(path, byteCount: size, options: options).disk.flush()
        let image = try open(path, .write)
        let data = VHDXFixture.data
        #expect(
            try image.disk.nextExtent(at: 700)
                == Extent(range: 700..<size, kind: .plain(file: 0, offset: UInt64(data) + 700)))
        try image.disk.write([7, 8], at: size - 2)
        try image.disk.flush()
        let raw = directory.path("raw")
        try Tool.run("qemu-img", ["convert", "-f", "vhdx", "-O", "raw", path, raw])
        #expect(try HostFile.open(raw).bytes(at: size - 3, count: 3) == [0, 7, 8])
    }

    @Test func aRunEndsBeforeABlockThatIsElsewhere() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("fixed.vhdx")
        let options = ImageCreateOptions(values: [("subformat", "fixed")])
        try VHDXDriver.create(path, byteCount: 8 << 20, options: options).disk.flush()
        let good = try fileBytes(path)
        let data = UInt64(VHDXFixture.data)
        // Block 4 is not there, or in the wrong place: what lies before it is read all the same.
        for entry in [0, 2, 4 << 20 | 6, 4 << 40 | 6] as [UInt64] {
            var bytes = good
            bytes.storeLittle(entry, at: VHDXFixture.table + 32)
            let path = try directory.write("hole.vhdx", bytes)
            do {
                let disk = try open(path).disk
                #expect(
                    try disk.nextExtent(at: 0)
                        == Extent(range: 0..<4 << 20, kind: .plain(file: 0, offset: data)))
                #expect(try disk.nextExtent(at: 4 << 20) == Extent(range: 4 << 20..<5 << 20, kind: .zero))
            } catch let error as StorageError {
                #expect(["blocks-overlap", "block-outside-file"].contains(error.code))
            }
        }
    }
}
