import ImageFormats
import Storage
import TestSupport
import Testing

struct RawTests {
    @Test func readsWritesAndTellsHoles() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("disk.img", byteCount: 1 << 20)
        let image = try ImageProbe.open(path, options: ImageOpenOptions(access: .write))
        #expect(image.info.format == .raw)
        #expect(try image.disk.nextExtent(at: 0).kind == .zero)
        try image.disk.write([1, 2, 3], at: 65536)
        try image.disk.flush()
        #expect(try image.disk.bytes(at: 65535, count: 5) == [0, 1, 2, 3, 0])
        #expect(throws: StorageError.self) { try image.disk.write([1], at: 1 << 20) }
    }

    @Test func foreignFormatsAreRefusedByName() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("x", Array("VMA".utf8) + [UInt8](repeating: 0, count: 2000))
        let error = #expect(throws: StorageError.self) { try ImageProbe.open(path) }
        #expect(error?.code == "foreign-format")
        #expect(error?.message.contains("VMA") == true)
        #expect(try ImageProbe.open(path, format: .raw).disk.byteCount == 2003)
    }
}
