import Codecs
import Storage
import TestSupport
import Testing

/// What every codec does, whatever it is.
@Suite struct CodecTests {
    static let codecs = Codec.all.map(\.id)

    /// Bytes that compress and bytes that do not, in turns.
    private static func sample(_ count: Int) -> [UInt8] {
        var random = SeededRandom(11)
        var bytes: [UInt8] = []
        while bytes.count < count {
            bytes += random.bytes(300)
            bytes += Array("the quick brown fox jumps over the lazy dog; ".utf8)
            bytes += [UInt8](repeating: bytes.last ?? 0, count: 700)
        }
        return Array(bytes.prefix(count))
    }

    @Test(arguments: codecs, [0, 1, 4096, 65_536, 300_001])
    func whatIsEncodedIsDecoded(_ id: CodecID, _ count: Int) throws {
        let codec = try Codec.named(id)
        let bytes = Self.sample(count)
        for level in [codec.levels.lowerBound, codec.defaultLevel, codec.levels.upperBound] {
            let encoded = try codec.encode(bytes.span8, level: level)
            #expect(isSame(try codec.decode(encoded.span8, limit: count), bytes))
        }
        #expect(throws: StorageError.self) { try codec.encode(bytes.span8, level: 99) }
    }

    /// The pieces of a stream may be cut anywhere, on both sides.
    @Test(arguments: codecs) func piecesOfAnySizeGiveTheSameBytes(_ id: CodecID) throws {
        let codec = try Codec.named(id)
        let bytes = Self.sample(50_000)
        var random = SeededRandom(12)
        let encoder = try codec.makeEncoder()
        for _ in 0..<2 {
            var encoded: [UInt8] = []
            var taken = 0
            var isEnd = false
            while !isEnd {
                let given = min(Int.random(in: 1...9000, using: &random), bytes.count - taken)
                var room = [UInt8](repeating: 0, count: Int.random(in: 1...3000, using: &random))
                let step = try room.withMutableBytes { (room) throws(StorageError) in
                    try encoder.encode(
                        bytes.span8.extracting(taken..<taken + given), into: &room,
                        isLast: taken + given == bytes.count)
                }
                taken += step.consumed
                encoded += room[..<step.produced]
                isEnd = step.isEnd
            }
            #expect(taken == bytes.count)
            try encoder.reset()

            let input = encoded
            var position = 0
            var seed = random.next()
            var stream = try DecodedStream(codec, limit: 50_000) { (buffer) throws(StorageError) in
                seed = seed &* 6_364_136_223_846_793_005 &+ 1
                let count = min(Int(seed >> 52) + 1, input.count - position, buffer.byteCount)
                buffer.copy(input.span8.extracting(position..<position + count), to: 0)
                position += count
                return count
            }
            var decoded: [UInt8] = []
            while true {
                let part = try stream.bytes(Int.random(in: 1...5000, using: &random))
                guard !part.isEmpty else { break }
                decoded += part
            }
            #expect(isSame(decoded, bytes))
            let (consumed, produced) = (stream.consumedByteCount, stream.producedByteCount)
            #expect(consumed == UInt64(encoded.count))
            #expect(produced == 50_000)
        }
    }

    @Test(arguments: codecs) func aStreamCutShortIsAnError(_ id: CodecID) throws {
        let codec = try Codec.named(id)
        let encoded = try codec.encode(Self.sample(20_000).span8)
        for count in [0, 1, encoded.count / 2, encoded.count - 1] {
            let error = #expect(throws: StorageError.self) {
                try codec.decode(encoded.span8.extracting(0..<count), limit: 20_000)
            }
            #expect(error?.code == CodecCode.cutShort.rawValue)
            #expect(error?.layer == id.name)
        }
    }

    /// Memory is bounded by the caller's limit, whatever the stream says of itself.
    @Test(arguments: codecs) func aBombIsStoppedAtTheLimit(_ id: CodecID) throws {
        let codec = try Codec.named(id)
        let bomb = try codec.encode([UInt8](repeating: 0, count: 8 << 20).span8)
        // LZ4 and LZO say at most 255 bytes with one.
        #expect(bomb.count < 60_000)
        let whole = #expect(throws: StorageError.self) { try codec.decode(bomb.span8, limit: 100_000) }
        #expect(whole?.code == CodecCode.tooLong.rawValue)
        var isGiven = false
        var stream = try DecodedStream(codec, limit: 100_000) { (buffer) throws(StorageError) in
            guard !isGiven else { return 0 }
            isGiven = true
            buffer.copy(bomb.span8, to: 0)
            return bomb.count
        }
        var made = 0
        var code: String?
        do {
            while true {
                let count = try stream.bytes(4096).count
                guard count > 0 else { break }
                made += count
            }
        } catch {
            code = error.code
        }
        #expect(code == CodecCode.tooLong.rawValue)
        #expect(made <= 100_000)
    }

    /// A changed byte is told, or was one that means nothing; nothing traps and nothing comes out too long.
    @Test(arguments: codecs) func damageDoesNotTrap(_ id: CodecID) throws {
        let codec = try Codec.named(id)
        let encoded = try codec.encode(Self.sample(3000).span8)
        var random = SeededRandom(13)
        var refused = 0
        for _ in 0..<300 {
            var damaged = encoded
            damaged[Int.random(in: damaged.indices, using: &random)] ^=
                1 << UInt8.random(in: 0...7, using: &random)
            do {
                let count = try codec.decode(damaged.span8, limit: 3000).count
                #expect(count <= 3000)
            } catch {
                #expect(error.kind == .corrupt || error.kind == .unsupported)
                refused += 1
            }
        }
        // Raw deflate, lzma, legacy LZ4 and the frames of Zstandard made here carry no checksum of their contents.
        let isChecked = [CodecID.zlib, .gzip, .xz, .bzip2, .lz4Frame, .lzo].contains(id)
        #expect(refused > (isChecked ? 250 : 0))
    }

    @Test(arguments: codecs) func unitsAreFilledAndNoMore(_ id: CodecID) throws {
        let codec = try Codec.named(id)
        let bytes = Self.sample(65_536)
        let payload = try codec.encode(bytes.span8) + [UInt8](repeating: 0xa5, count: 500)
        let pool = DecoderPool()
        func decode(_ payload: [UInt8], room: Int) throws -> (count: Int, bytes: [UInt8]) {
            var target = [UInt8](repeating: 0xee, count: room)
            let count = try target.withMutableBytes { (target) throws(StorageError) in
                try pool.decode(payload.span8, by: codec, into: &target)
            }
            return (count, target)
        }
        // With padding behind, with less room than there is to come, and again with the same decoder.
        for _ in 0..<3 {
            let whole = try decode(payload, room: 65_536)
            #expect(whole.count == 65_536)
            #expect(isSame(whole.bytes, bytes))
            let part = try decode(payload, room: 1000)
            #expect(part.count == 1000)
            #expect(part.bytes == Array(bytes.prefix(1000)))
            #expect(throws: StorageError.self) {
                try decode([0xff, 0xff, 0xff, 0xff, 0xff, 0xff], room: 1000)
            }
        }
        #expect(try decode(codec.encode(Array(bytes.prefix(10)).span8), room: 64).count == 10)
    }

    /// Damage that makes a stream longer, so that the room is full before its checksum, is told like any other; so is a
    /// stream that has lost its end.
    @Test(arguments: codecs) func unitsAreHeldAgainstTheirChecksum(_ id: CodecID) throws {
        let codec = try Codec.named(id)
        let size = 4096
        let bytes = Self.sample(size)
        let payload = try codec.encode(bytes.span8)
        func decode(_ payload: [UInt8]) throws -> (count: Int, bytes: [UInt8]) {
            var target = [UInt8](repeating: 0, count: size)
            let pool = DecoderPool()
            let count = try target.withMutableBytes { (target) throws(StorageError) in
                try pool.decode(payload.span8, by: codec, into: &target)
            }
            return (count, target)
        }
        #expect(try decode(payload).bytes == bytes)
        guard id != .deflate else {
            // qcow2's clusters: nothing but the bytes, and old writers lost the end of the stream.
            #expect(try decode(payload.dropLast(1) + [0xa5]).count > 0)
            return
        }
        guard codec.endsInChecksum else { return }
        for lost in 1...min(8, payload.count - 1) {
            #expect(throws: StorageError.self) { try decode(payload.dropLast(lost)) }
        }
        guard id != .zstd else { return }
        var wrong = 0
        for bit in 0..<payload.count * 8 {
            var damaged = payload
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            // The bits of a header that mean nothing change nothing.
            if let found = try? decode(damaged), found.count != size || found.bytes != bytes { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test(arguments: codecs) func encodedUnitsAreShorterOrNone(_ id: CodecID) throws {
        let codec = try Codec.named(id)
        let encoder = try codec.makeEncoder()
        var random = SeededRandom(14)
        let noise = random.bytes(65_536)
        #expect(try codec.encode(noise.span8, by: encoder, shorterThan: noise.count) == nil)
        try encoder.reset()
        let text = Self.sample(65_536)
        let encoded = try #require(try codec.encode(text.span8, by: encoder, shorterThan: text.count))
        #expect(encoded.count < text.count)
        #expect(isSame(try codec.decode(encoded.span8, limit: text.count), text))
    }

    @Test func streamsAreKnownByTheirFirstBytes() throws {
        let text = Array("hello".utf8)
        for id in [CodecID.gzip, .zstd, .xz, .lzma, .bzip2, .lz4Legacy, .lz4Frame, .lzo] {
            let encoded = try Codec.named(id).encode(text.span8)
            #expect(Codec.recognised(by: encoded.span8)?.id == id)
        }
        #expect(Codec.recognised(by: text.span8) == nil)
        let error = #expect(throws: StorageError.self) { try Codec.named(CodecID("rar")) }
        #expect(error?.code == CodecCode.unknown.rawValue)
    }

    /// Members of gzip and frames of Zstandard that follow each other are one stream; anything else behind a stream
    /// is not overlooked.
    @Test func streamsThatFollowEachOtherAreOne() throws {
        let (one, two) = (Array("one, ".utf8), Array("two".utf8))
        for codec in Codec.all {
            let both = try codec.encode(one.span8) + codec.encode(two.span8)
            if codec.joinsStreams {
                #expect(try codec.decode(both.span8, limit: 100) == one + two)
            } else {
                #expect(throws: StorageError.self) { try codec.decode(both.span8, limit: 100) }
            }
            let padded = try codec.encode(one.span8) + [1, 2, 3]
            #expect(throws: StorageError.self) { try codec.decode(padded.span8, limit: 100) }
        }
    }

    /// The end of a stream in a larger file is found to the byte: an initramfs has several behind each other.
    @Test(arguments: Codec.all.filter(\.marksEnd).map(\.id))
    func whatLiesBehindTheEndIsKept(_ id: CodecID) throws {
        let codec = try Codec.named(id)
        let encoded = try codec.encode(Self.sample(9000).span8)
        let file = encoded + Array("behind".utf8)
        var isGiven = false
        var stream = try DecodedStream(codec, limit: 1 << 20) { (buffer) throws(StorageError) in
            guard !isGiven else { return 0 }
            isGiven = true
            buffer.copy(file.span8, to: 0)
            return file.count
        }
        let count = try stream.bytes(10_000).count
        #expect(count == 9000)
        let consumed = stream.consumedByteCount
        #expect(consumed == UInt64(encoded.count))
        let behind = stream.bytesBehindEnd
        #expect(behind == Array("behind".utf8))
    }
}

/// The programs that everybody has read what is made here, and the other way round.
@Suite struct CodecToolTests {
    @Test(arguments: [
        ("gzip", CodecID.gzip), ("zstd", .zstd), ("xz", .xz), ("lzma", .lzma), ("bzip2", .bzip2),
        ("lz4", .lz4Frame), ("lz4 -l", .lz4Legacy), ("lzop", .lzo),
    ])
    func toolsAgree(_ tool: String, _ id: CodecID) throws {
        let words = tool.split(separator: " ").map(String.init)
        guard Tool.has(words[0]) else { return print("\(tool) is not installed") }
        let directory = try TemporaryDirectory()
        var random = SeededRandom(15)
        // More than a block of each.
        let bytes = random.bytes(3000) + [UInt8](repeating: 7, count: 9 << 20) + random.bytes(300_000)
        let codec = try Codec.named(id)
        let ours = try directory.write("ours", codec.encode(bytes.span8))
        let decoding = words[0] == "lz4" ? ["-d", "-c"] : ["-d", "-c", "-f"]
        let decoded =
            words[0] == "lzop"
            ? try Tool.run("sh", ["-c", "lzop -d -c < \(ours)"]) : try Tool.run(words[0], decoding + [ours])
        #expect(isSame(decoded.output, bytes))
        let plain = try directory.write("plain", bytes)
        let theirs = try Tool.run(words[0], words.dropFirst() + ["-c", plain]).output
        #expect(isSame(try codec.decode(theirs.span8, limit: bytes.count), bytes))
    }

    /// lzop's checksums, of the decoded bytes and of the encoded ones, by Adler-32 and by CRC-32, and a header with a name.
    @Test(arguments: [["-9"], ["--crc32"], ["--no-checksum"], ["-CC"], ["-CC", "--crc32"]])
    func everyChecksumOfLzopIsSeen(_ options: [String]) throws {
        guard Tool.has("lzop") else { return print("lzop is not installed") }
        let directory = try TemporaryDirectory()
        var random = SeededRandom(17)
        let bytes =
            Array("some words that come again and again. ".utf8) + random.bytes(500)
            + [UInt8](repeating: 5, count: 300_000) + random.bytes(500)
        let plain = try directory.write("plain", bytes)
        var encoded = try Tool.run("lzop", options + ["-c", plain]).output
        #expect(isSame(try Codec.lzo.decode(encoded.span8, limit: bytes.count), bytes))
        // The name stands in the header, whose checksum is checked.
        let name = try #require(encoded.firstRange(of: Array("plain".utf8)))
        encoded[name.lowerBound] ^= 1
        #expect(throws: StorageError.self) { try Codec.lzo.decode(encoded.span8, limit: bytes.count) }
        encoded[name.lowerBound] ^= 1
        guard options != ["--no-checksum"] else { return }
        // The last byte but the end mark is a literal's: without the checksum its change would not be seen.
        let last = encoded.count - 12
        encoded[last] ^= 1
        let error = #expect(throws: StorageError.self) {
            try Codec.lzo.decode(encoded.span8, limit: bytes.count)
        }
        #expect(error?.code == CodecCode.damaged.rawValue)
    }

    /// Frames of LZ4's legacy format may follow each other, and a length of zero ends them: both as Linux has it.
    @Test func legacyFramesEndAsInLinux() throws {
        let text = Array("some text".utf8)
        let one = try Codec.lz4Legacy.encode(text.span8)
        #expect(try Codec.lz4Legacy.decode((one + one).span8, limit: 100) == text + text)
        #expect(try Codec.lz4Legacy.decode((one + [0, 0]).span8, limit: 100) == text)
        #expect(try Codec.lz4Legacy.decode((one + [0, 0, 0, 0]).span8, limit: 100) == text)
        for behind in [[1, 0, 0], Array("070701".utf8), [0xff, 0xff, 0xff, 0x7f]] as [[UInt8]] {
            #expect(throws: StorageError.self) {
                try Codec.lz4Legacy.decode((one + behind).span8, limit: 100)
            }
        }
    }

    /// What a header claims is not allocated: a dictionary of 4 GiB, a block of 8 MiB in a file of ten bytes.
    @Test func memoryIsNotTakenFromAHeader() throws {
        let lzma: [UInt8] =
            [0x5d, 0, 0, 0, 0x80] + [UInt8](repeating: 0xff, count: 8) + [UInt8](repeating: 0, count: 64)
        let error = #expect(throws: StorageError.self) { try Codec.lzma.decode(lzma.span8, limit: 100) }
        #expect(error?.isCode(CodecCode.windowTooLarge) == true)
        #expect(error?.kind == .unsupported)
        // A window of 256 MiB.
        let zstd: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x90] + [UInt8](repeating: 0, count: 64)
        let refusal = #expect(throws: StorageError.self) { try Codec.zstd.decode(zstd.span8, limit: 100) }
        #expect(refusal?.isCode(CodecCode.windowTooLarge) == true && refusal?.kind == .unsupported)
        let block: [UInt8] = LZ4Heads.magic + [0, 0, 0x80, 0, 1, 2]
        let short = #expect(throws: StorageError.self) { try Codec.lz4Legacy.decode(block.span8, limit: 100) }
        #expect(short?.isCode(CodecCode.cutShort) == true)
    }

    private enum LZ4Heads { static let magic: [UInt8] = [0x02, 0x21, 0x4c, 0x18] }

    /// qcow2's clusters have to be read with a window of 4 KiB: no match reaches further back.
    @Test func deflateIsMadeForASmallWindow() throws {
        guard Tool.has("python3") else { return print("python3 is not installed") }
        let directory = try TemporaryDirectory()
        var random = SeededRandom(16)
        let block = random.bytes(6000)
        // A window of 32 KiB would find the second copy.
        let bytes = block + block
        let encoded = try Codec.deflate.encode(bytes.span8)
        #expect(encoded.count > 11_000)
        let path = try directory.write("deflate", encoded)
        let script =
            "import sys,zlib; sys.stdout.buffer.write(zlib.decompress(open(sys.argv[1],'rb').read(), -12))"
        #expect(isSame(try Tool.run("python3", ["-c", script, path]).output, bytes))
    }
}
