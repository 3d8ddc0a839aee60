import Appliances
import Storage
import TestSupport
import Testing

struct GzipFileTests {
    private static func unpacked(_ bytes: [UInt8], limit: UInt64) throws -> GzipFile {
        let base = MemoryFile(bytes)
        return try GzipFile(base, limit: limit)
    }

    @Test func compressedDisks() throws {
        let directory = try TemporaryDirectory()
        var contents: [UInt8] = []
        var random = SeededRandom(5)
        for _ in 0..<400_000 {
            contents += [UInt8](repeating: UInt8(truncatingIfNeeded: random.next()), count: 8)
        }
        let path = try directory.write("disk", contents)
        try Tool.run("gzip", [path])
        let packed = try fileBytes(path + ".gz")
        let file = try Self.unpacked(packed + [UInt8](repeating: 0, count: 100), limit: 4 << 20)
        #expect(file.byteCount == UInt64(contents.count))
        try ByteFileSuite.reads(file, contents)
        try ByteFileSuite.refusesChanges(file)
        for _ in 0..<200 {
            let start = Int(random.next() % UInt64(contents.count - 70000))
            let count = Int(random.next() % 70000)
            let part = try file.bytes(at: UInt64(start), count: count)
            #expect(part == Array(contents[start..<start + count]))
        }
        // Two streams that follow each other are one.
        let twice = try Self.unpacked(packed + packed, limit: 8 << 20)
        #expect(twice.byteCount == UInt64(contents.count * 2))
        let seam = try twice.bytes(at: UInt64(contents.count) - 5, count: 10)
        #expect(seam == Array(contents.suffix(5)) + Array(contents.prefix(5)))

        #expect(throws: StorageError.self) { try Self.unpacked(Array(packed.dropLast(9)), limit: 4 << 20) }
        #expect(throws: StorageError.self) { try Self.unpacked(packed + [1, 2, 3], limit: 4 << 20) }
        let bomb = try #require(throws: StorageError.self) { try Self.unpacked(packed, limit: 1 << 20) }
        #expect(bomb.isCode(ApplianceCode.compression))
        var flipped = packed
        flipped[packed.count / 2] ^= 0x10
        #expect(throws: StorageError.self) { try Self.unpacked(flipped, limit: 4 << 20) }
    }
}
