import ImageFormats
import Storage
import TestSupport
import Testing

/// XenServer's batmap; synthetic, for want of a real one.
struct VHDBatmapTests {
    /// A differencing disk as blktap lays it: batmap behind the table, blocks behind that.
    private func disk(_ directory: TemporaryDirectory, promised: UInt8) throws -> (path: String, map: Int) {
        let parent = directory.path("base.vhd")
        try VHDDriver.create(parent, byteCount: 16 << 20, options: ImageCreateOptions()).disk.flush()
        let path = directory.path("child.vhd")
        try VHDDriver.create(path, byteCount: 0, options: ImageCreateOptions(parent: parent)).disk.flush()
        var bytes = Array(try fileBytes(path).dropLast(512))
        bytes += [UInt8](repeating: 0, count: 4096)
        // 8 entries from 1536 on; the table ends at 2048. The map itself behind the locator.
        let map = bytes.count - 4096
        bytes.replaceSubrange(2048..<2056, with: Array("tdbatmap".utf8))
        bytes.storeBig(UInt64(map), at: 2056)
        bytes.storeBig(UInt32(1), at: 2064)
        bytes.storeBig(UInt32(0x0001_0002), at: 2068)
        bytes[map] = promised
        bytes.storeBig(~UInt32(promised), at: 2072)
        VHDFixture.changeFooters(&bytes) { _, _ in }
        bytes += bytes[0..<512]
        VHDFixture.changeFooters(&bytes) { bytes, at in
            bytes.replaceSubrange(at + 28..<at + 32, with: Array("tap\0".utf8))
            bytes.storeBig(UInt32(0x0001_0003), at: at + 32)
        }
        try directory.write("child.vhd", bytes)
        return (path, map)
    }

    @Test func blocksAreNotPutOnItAndItStaysTrue() throws {
        let directory = try TemporaryDirectory()
        // It promises blocks 1 and 2, which have no place: stale, and about to become a lie for block 1.
        let (path, map) = try disk(directory, promised: 0b0110_0000)
        let policy = ReferencePolicy(allowsSiblings: true)
        let image = try open(path, .write, policy)
        #expect(image.info.warnings.filter { !$0.contains("parent") } == [])
        try image.disk.write([1], at: 3 << 20)
        try image.disk.write([UInt8](repeating: 2, count: 2 << 20), at: 4 << 20)
        try image.disk.flush()
        let bytes = try fileBytes(path)
        #expect(bytes[map] == 0b0010_0000)
        #expect(bytes.big(2072, as: UInt32.self) == ~UInt32(0b0010_0000))
        #expect(bytes[2048..<2056] == Array("tdbatmap".utf8)[...])
        let again = try open(path, .read, policy).disk
        #expect(try again.bytes(at: (3 << 20) - 1, count: 3) == [0, 1, 0])
        #expect(try again.bytes(at: 6 << 20, count: 1) == [0])
    }

    @Test func blocksOnItAreRefused() throws {
        let directory = try TemporaryDirectory()
        let (path, map) = try disk(directory, promised: 0)
        var bytes = try fileBytes(path)
        bytes.storeBig(UInt32(map / 512), at: 1536)
        bytes += [UInt8](repeating: 0, count: 3 << 20)
        bytes += bytes[0..<512]
        try directory.write("child.vhd", bytes)
        let error = #expect(throws: StorageError.self) {
            try open(path, .read, ReferencePolicy(allowsSiblings: true))
        }
        #expect(error?.code == "block-in-metadata")
    }
}
