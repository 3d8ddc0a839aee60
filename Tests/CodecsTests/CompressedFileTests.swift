import Codecs
import Storage
import Synchronization
import TestSupport
import Testing

/// Compressed files, read anywhere.
@Suite struct CompressedFileTests {
    static let codecs: [CodecID] = [.gzip, .zstd, .xz, .bzip2, .lz4Frame, .lz4Legacy, .lzo]
    /// Those whose streams may follow each other, and that tell where one ends.
    static let joined: [CodecID] = [.gzip, .zstd, .xz, .bzip2, .lz4Frame, .lzo]

    private static func sample(_ seed: UInt64, _ count: Int) -> [UInt8] {
        var random = SeededRandom(seed)
        var bytes: [UInt8] = []
        while bytes.count < count {
            bytes += random.bytes(700)
            bytes += [UInt8](repeating: UInt8(truncatingIfNeeded: random.next()), count: 90_000)
            bytes += [UInt8](repeating: 0, count: 300_000)
        }
        return Array(bytes.prefix(count))
    }

    /// A file beside, and how many were asked for.
    private final class Beside: Sendable {
        let count = Mutex(0)
        let file = MemoryFile(byteLimit: 256 << 20)
        func make() -> any ByteFile {
            count.withLock { $0 += 1 }
            return file
        }
    }

    private static func file(
        _ bytes: [UInt8], _ id: CodecID, limit: UInt64 = 1 << 30, isSalvage: Bool = false,
        beside: Beside? = nil
    ) throws -> CompressedFile {
        var scratch: CompressedFile.Scratch?
        if let beside { scratch = { () throws(StorageError) in beside.make() } }
        return try CompressedFile(
            MemoryFile(bytes), try Codec.named(id), limit: limit, isSalvage: isSalvage, scratch: scratch)
    }

    private static func readHereAndThere(_ file: CompressedFile, _ contents: [UInt8], _ rounds: Int) throws {
        var random = SeededRandom(3)
        for _ in 0..<rounds {
            let start = Int(random.next() % UInt64(contents.count - 70_000))
            let count = Int(random.next() % 70_000)
            let part = try file.bytes(at: UInt64(start), count: count)
            #expect(isSame(part, Array(contents[start..<start + count])))
        }
    }

    @Test(arguments: codecs) func whatTheyDecodeTo(_ id: CodecID) throws {
        let contents = Self.sample(5, 3_300_001)
        let packed = try Codec.named(id).encode(contents.span8)
        #expect(CompressedFile.codec(of: Array(packed.prefix(16)))?.id == id)
        let file = try Self.file(packed, id)
        #expect(file.byteCount == UInt64(contents.count))
        try ByteFileSuite.reads(file, contents)
        try ByteFileSuite.refusesChanges(file)
        try Self.readHereAndThere(file, contents, 60)
    }

    @Test(arguments: joined) func streamsThatFollowEachOther(_ id: CodecID) throws {
        let codec = try Codec.named(id)
        var packed: [UInt8] = []
        var contents: [UInt8] = []
        for seed in 0..<6 {
            let part = Self.sample(UInt64(seed), 1_500_000 + seed * 77_777)
            contents += part
            packed += try codec.encode(part.span8)
        }
        let beside = Beside()
        let file = try Self.file(packed + [UInt8](repeating: 0, count: 100), id, beside: beside)
        #expect(file.byteCount == UInt64(contents.count))
        try Self.readHereAndThere(file, contents, 60)
        #expect(beside.count.withLock { $0 } == 0, "their starts are near")
    }

    /// xz's stream padding lies between streams too.
    @Test func zerosBetweenStreams() throws {
        let part = Self.sample(9, 200_000)
        let packed = try Codec.xz.encode(part.span8)
        let file = try Self.file(packed + [0, 0, 0, 0] + packed, .xz)
        #expect(isSame(try file.bytes(at: 0, count: 400_000), part + part))
    }

    /// A frame that decoders skip stands in front of pzstd's and between others.
    @Test func framesToSkip() throws {
        let part = Self.sample(9, 200_000)
        let packed = try Codec.zstd.encode(part.span8)
        let skipped: [UInt8] = [0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]
        let file = try Self.file(packed + skipped + packed, .zstd)
        #expect(isSame(try file.bytes(at: 0, count: 400_000), part + part))
    }

    /// One long stream without a place to begin: what goes back and forth is kept once, and read from there.
    @Test func backAndForthInOneStream() throws {
        let size = 70 << 20
        var contents = [UInt8](repeating: 0, count: size)
        var random = SeededRandom(4)
        for place in stride(from: 0, to: size - 64, by: 1 << 20) {
            for (index, byte) in random.bytes(64).enumerated() { contents[place + index] = byte }
        }
        let packed = try Codec.zstd.encode(contents.span8)
        let beside = Beside()
        let file = try Self.file(packed, .zstd, beside: beside)
        // The end is looked at before anything else and costs nothing.
        #expect(isSame(try file.bytes(at: UInt64(size - 512), count: 512), Array(contents.suffix(512))))
        #expect(isSame(try file.bytes(at: 0, count: 1 << 20), Array(contents.prefix(1 << 20))))
        #expect(
            isSame(try file.bytes(at: 50 << 20, count: 4096), Array(contents[50 << 20..<(50 << 20) + 4096])))
        #expect(beside.count.withLock { $0 } == 0)
        try Self.readHereAndThere(file, contents, 40)
        #expect(beside.count.withLock { $0 } == 1)
        #expect(beside.file.byteCount == UInt64(size))
    }

    @Test(arguments: codecs) func damage(_ id: CodecID) throws {
        let contents = Self.sample(5, 700_000)
        let codec = try Codec.named(id)
        let packed = try codec.encode(contents.span8)
        let bomb = try #require(throws: StorageError.self) { try Self.file(packed, id, limit: 600_000) }
        #expect(bomb.isCode(CodecCode.tooLong))
        #expect(bomb.path == "(memory)")
        let cut = Array(packed.prefix(packed.count / 2))
        // A stream without a mark at its end may end between two blocks.
        if codec.marksEnd { #expect(throws: StorageError.self) { try Self.file(cut, id) } }
        let left = try Self.file(cut, id, isSalvage: true)
        #expect(left.byteCount < UInt64(contents.count))
        let found = try left.bytes(at: 0, count: Int(left.byteCount))
        #expect(isSame(found, Array(contents.prefix(found.count))))
        if codec.marksEnd {
            #expect(throws: StorageError.self) { try Self.file(packed + [1, 2, 3], id) }
        }
        if codec.endsInChecksum, id != .zstd {
            // A bit that means nothing changes nothing.
            var refused = 0
            for part in 1..<16 {
                var flipped = packed
                flipped[packed.count * part / 16] ^= 0x10
                do throws(StorageError) {
                    let file = try CompressedFile(MemoryFile(flipped), codec, limit: 1 << 30)
                    #expect(isSame(try file.bytes(at: 0, count: Int(file.byteCount)), contents))
                } catch { refused += 1 }
            }
            #expect(refused > 0)
        }
    }

    /// What the tools make that people use.
    @Test(arguments: [
        ("gzip", ["-k"], ".gz"), ("xz", ["-k", "-T2", "--block-size=262144"], ".xz"),
        ("zstd", ["-q", "-k"], ".zst"),
        ("bzip2", ["-k"], ".bz2"), ("lz4", ["-q", "-k", "-f", "DISK", "DISK.lz4"], ".lz4"),
        ("lzop", ["-k"], ".lzo"),
    ])
    func filesOfTheTools(_ tool: String, _ arguments: [String], _ suffix: String) throws {
        guard Tool.has(tool) else { return print("\(tool) is not installed") }
        let directory = try TemporaryDirectory()
        let contents = Self.sample(8, 2_000_000)
        let path = try directory.write("disk", contents)
        let given = arguments.map { $0.hasPrefix("DISK") ? path + $0.dropFirst(4) : $0 }
        try Tool.run(tool, arguments.contains("DISK") ? given : given + [path])
        let packed = try fileBytes(path + suffix)
        let codec = try #require(CompressedFile.codec(of: Array(packed.prefix(16))))
        let file = try Self.file(packed, codec.id)
        #expect(file.byteCount == UInt64(contents.count))
        try Self.readHereAndThere(file, contents, 20)
    }

    @Test func whatIsNotCompressed() {
        for head in [[], [0x1f, 0x8b], Array("BZh9 is a text".utf8), [UInt8](repeating: 0, count: 16)] {
            #expect(CompressedFile.codec(of: head) == nil)
        }
    }
}
