import Codecs
import Initramfs
import Storage
import TestSupport
import Testing

/// What Linux would reject is told with its place, and nothing traps.
@Suite struct InitramfsDamageTests {
    private static let good = RawArchive.make { $0.file("good", "text") }

    private func failure(_ bytes: [UInt8]) throws -> StorageError? {
        try InitramfsContents.read(bytes).failure
    }

    @Test func everyRefusalIsNamed() throws {
        let good = Self.good
        let place = UInt64(good.count)
        func bad(_ body: (inout RawArchive) -> Void) -> [UInt8] { good + RawArchive.make(body) }
        let cases: [([UInt8], InitramfsCode, UInt64?)] = [
            ([], .empty, nil),
            ([UInt8](repeating: 0, count: 5000), .empty, nil),
            (good + Array("junk".utf8), .badMagic, place),
            (good + [0] + good, .badPadding, place + 1),
            (good + Array("070707".utf8) + [UInt8](repeating: 48, count: 104), .badHeader, place),
            (good + [0x1f, 0x8b, 8, 0, 1, 2], .badStream, place),
            (good + [0x04, 0x22, 0x4d, 0x18], .foreignStream, place),
            (bad { $0.file("../a", "") }, .nameLeadsOut, place),
            (bad { $0.file("a/../../b", "") }, .nameLeadsOut, place),
            (bad { $0.file("/etc/passwd", "") }, .nameLeadsOut, place),
            (bad { $0.add("a", nameSize: 5000) }, .cutShort, place),
            (bad { $0.add("abcd", nameSize: 3) }, .badName, place),
            (bad { $0.add("a", mode: 0o120777, size: 70000) }, .cutShort, place),
            (bad { $0.add("a", size: 0xffff_ffff) }, .cutShort, place),
            (bad { $0.add("a", mode: 0o040755, size: 0xffff_ffff) }, .cutShort, place),
            (bad { $0.add("a", Array("ab".utf8), magic: "070702", check: 1) }, .badChecksum, place),
            (good + Array(good.prefix(50)), .cutShort, place),
            (good + Array(good.prefix(112)), .cutShort, place),
        ]
        for (index, (bytes, code, offset)) in cases.enumerated() {
            let contents = try InitramfsContents.read(bytes)
            let failure = try #require(contents.failure, "case \(index)")
            #expect(failure.isCode(code), "case \(index): \(failure)")
            #expect(failure.offset == offset, "case \(index): \(failure)")
            // What stands before it is unpacked.
            #expect(contents.text("good") == (offset == nil ? nil : "text"), "case \(index)")
            // Behind whole archives nothing is lost, and in front of them there is a place.
            let isBehind = [InitramfsCode.badMagic, .badPadding, .foreignStream].contains(code)
            #expect(contents.isCutOff == (!isBehind && code != .empty), "case \(index)")
            if isBehind {
                #expect(try contents.overlayPlacement() == .before, "case \(index)")
                continue
            }
            let refusal = #expect(throws: StorageError.self) { try contents.overlayPlacement() }
            #expect(refusal?.isCode(InitramfsCode.noPlace) == true)
        }
    }

    /// Entries that Linux passes over without a word; what stands behind them is unpacked.
    @Test func whatIsPassedOver() throws {
        let cases: [(inout RawArchive) -> Void] = [
            { $0.file(String(repeating: "n", count: 256), "text") },
            { $0.add("a", mode: 0o170000) },
            { $0.add("a", mode: 0o170000, Array("text".utf8)) },
            { $0.add("d", mode: 0o040755, Array("text".utf8)) },
        ]
        for (index, add) in cases.enumerated() {
            let image = RawArchive.make { archive in
                archive.file("a", "old")
                add(&archive)
                archive.file("good", "text")
            }
            let contents = try InitramfsContents.read(image)
            #expect(
                contents.failure == nil,
                "case \(index): \(contents.failure.map(String.init(describing:)) ?? "")")
            #expect(contents.text("good") == "text", "case \(index)")
            #expect(contents.file(at: "d") == nil)
            // One of no type, and without contents, takes the place of what was there.
            #expect((contents.file(at: "a") == nil) == (index == 1), "case \(index)")
        }
        // A name of no length: the next header stands behind it.
        var bytes = Array("070701".utf8) + [UInt8](repeating: 48, count: 104) + [0, 0]
        bytes += Self.good
        let contents = try InitramfsContents.read(bytes)
        #expect(contents.failure == nil)
        #expect(contents.text("good") == "text")
    }

    /// Behind archives with an /init nothing of the damaged one counts, and what it replaced is not known.
    @Test func damageBehindASystem() throws {
        let system = RawArchive.make { $0.file("init", "#!/bin/sh\n") }
        let half = RawArchive.make { archive in
            archive.file("new", "text")
            archive.add("cut", size: 0xffff_ffff)
        }
        for packed in [system, try Codec.gzip.encode(system.span8)] {
            let padding = [UInt8](repeating: 0, count: (4 - packed.count % 4) % 4)
            let contents = try InitramfsContents.read(packed + padding + half)
            #expect(contents.failure?.isCode(InitramfsCode.cutShort) == true)
            #expect(contents.isBehindSystem)
            #expect(!contents.isChangedBehind)
            #expect(contents.file(at: "cut") == nil)
            #expect(contents.text("init") == "#!/bin/sh\n")
            #expect(try contents.overlayPlacement() == .before)
            let changed = RawArchive.make { archive in
                archive.file("init", "#!/bin/sh\n")
                archive.add("cut", size: 0xffff_ffff)
            }
            #expect(try InitramfsContents.read(packed + padding + changed).isChangedBehind)
            let zero = Array("0123 is no header".utf8)
            #expect(try InitramfsContents.read(packed + padding + zero).isBehindSystem)
        }
        #expect(try !InitramfsContents.read(Self.good + half).isBehindSystem)
    }

    /// A stream's checksum stands behind the archive in it: until it is read, any byte may be wrong. LZ4's legacy frames
    /// have none, and what follows them is not theirs.
    @Test func aStreamIsSoundOnceItsEndWasRead() throws {
        var random = SeededRandom(7)
        let long = RawArchive.make { archive in
            archive.file("good", "text")
            archive.add("long", random.bytes(300_000))
        }
        var image = try Codec.gzip.encode(long.span8)
        let checksum = image.count - 8
        image[checksum] ^= 1
        let damaged = try InitramfsContents.read(image)
        #expect(damaged.failure?.isCode(InitramfsCode.badStream) == true)
        #expect(damaged.isCutOff)
        #expect(damaged.text("good") == "text")
        let legacy = try Codec.lz4Legacy.encode(Self.good.span8)
        let followed = try InitramfsContents.read(legacy + Array("what no block is".utf8))
        #expect(followed.failure != nil)
        #expect(!followed.isCutOff)
        #expect(try followed.overlayPlacement() == .before)
        let half = try Codec.lz4Legacy.encode(Array(Self.good.prefix(113)).span8)
        #expect(try InitramfsContents.read(half + Array("what no block is".utf8)).isCutOff)
    }

    @Test func aDamagedHeaderNamesItsField() throws {
        var bytes = Self.good
        bytes[6 + 8 * 6] = UInt8(ascii: "x")
        let failure = try #require(try failure(bytes))
        #expect(failure.isCode(InitramfsCode.badHeader))
        #expect(failure.field == "c_filesize")
    }

    /// xz's own default check is one that Linux does not know.
    @Test(arguments: [("crc32", true), ("none", true), ("crc64", false), ("sha256", false)])
    func checksOfXz(_ check: String, _ isTaken: Bool) throws {
        guard Tool.has("xz") else { return print("xz is not installed") }
        let directory = try TemporaryDirectory()
        let path = try directory.write("a", Self.good)
        let image = try Tool.run("xz", ["-c", "--check=\(check)", path]).output
        let contents = try InitramfsContents.read(image)
        #expect((contents.failure == nil) == isTaken)
        if !isTaken { #expect(contents.failure?.isCode(InitramfsCode.foreignStream) == true) }
    }

    /// Every cut of every encoding is an error, but for those that leave whole blocks of a format without an end.
    @Test(arguments: InitramfsReadingTests.codecs) func everyCutIsSeen(_ codec: String?) throws {
        guard let packer = ImageMaker.packer(codec), Tool.has(packer.program) else {
            return print("a packer is not installed")
        }
        var random = SeededRandom(3)
        let image = try ImageMaker.packed(
            RawArchive.make { $0.add("a", random.bytes(3000)) }, codec)
        for count in stride(from: 1, to: image.count, by: 37) {
            let contents = try InitramfsContents.read(Array(image[..<count]))
            // The end of an archive as it is may be missing, as Linux has it.
            if codec == nil, contents.entries.count == 1 { continue }
            #expect(contents.failure != nil, "\(count) of \(image.count)")
        }
    }

    /// An archive in a stream has to be whole.
    @Test func aStreamEndsWithAWholeArchive() throws {
        let half = Array(Self.good.prefix(113))
        let one = try Codec.gzip.encode(half.span8)
        let two = try Codec.gzip.encode(Array(Self.good[113...]).span8)
        let contents = try InitramfsContents.read(one + two)
        #expect(contents.failure?.isCode(InitramfsCode.cutShort) == true)
        let junk = try Codec.gzip.encode((Self.good + Array("junk".utf8)).span8)
        #expect(try failure(junk)?.isCode(InitramfsCode.badHeader) == true)
        // Zeros and more archives are sound.
        let more = try Codec.gzip.encode((Self.good + [0, 0, 0, 0] + Self.good).span8)
        #expect(try failure(more) == nil)
    }

    @Test(arguments: ["zstd", "xz", "gzip", "bzip2"]) func bombsAreStopped(_ codec: String) throws {
        guard let packer = ImageMaker.packer(codec), Tool.has(packer.program) else {
            return print("a packer is not installed")
        }
        let image = try ImageMaker.packed(
            RawArchive.make { $0.add("a", [UInt8](repeating: 0, count: 24 << 20)) }, codec)
        var limits = InitramfsLimits()
        limits.freeByteCount = 4 << 20
        let bomb = #expect(throws: StorageError.self) { try InitramfsContents.read(image, limits: limits) }
        #expect(bomb?.isCode(InitramfsCode.bomb) == true)
        #expect(bomb?.kind == .refused)
        limits = InitramfsLimits()
        limits.decodedByteCount = 40 << 20
        // The limit is that of all members together.
        let long = #expect(throws: StorageError.self) {
            try InitramfsContents.read(image + image, limits: limits)
        }
        #expect(long?.isCode(InitramfsCode.tooLong) == true)
        #expect(try InitramfsContents.read(image).failure == nil)
    }

    @Test func entriesAreBounded() throws {
        var limits = InitramfsLimits()
        limits.entryCount = 100
        let many = RawArchive.make { archive in for index in 0..<101 { archive.file("\(index)", "") } }
        let error = #expect(throws: StorageError.self) { try InitramfsContents.read(many, limits: limits) }
        #expect(error?.code == "memory-bound")
        limits = InitramfsLimits()
        limits.nameByteCount = 1000
        let names = RawArchive.make { archive in
            for index in 0..<10 { archive.file("\(index)" + String(repeating: "n", count: 200), "") }
        }
        #expect(throws: StorageError.self) { try InitramfsContents.read(names, limits: limits) }
    }

    /// Links that multiply end: each is followed a limited number of times and steps.
    @Test func linksEnd() throws {
        let image = RawArchive.make { archive in
            archive.directory("d")
            var before = "d"
            for index in 0..<60 {
                let name = "l\(index)"
                archive.link(name, String(repeating: "\(before)/../", count: 300) + before)
                before = name
            }
            for index in 0..<2000 { archive.file("l59/\(index)", "") }
        }
        let contents = try InitramfsContents.read(image)
        #expect(contents.file(at: "l59") == nil)
        #expect(contents.file(at: "l0") == nil)
        #expect(contents.file(at: "d")?.type == .directory)
        // Short ones are followed, and all that is followed has a limit.
        let short = RawArchive.make { archive in
            archive.directory("d")
            archive.link("l", String(repeating: "d/../", count: 50) + "d")
            for index in 0..<200 { archive.file("l/\(index)", "") }
        }
        #expect(try InitramfsContents.read(short).file(at: "d/199") != nil)
        var limits = InitramfsLimits()
        limits.stepCount = 10_000
        let error = #expect(throws: StorageError.self) { try InitramfsContents.read(short, limits: limits) }
        #expect(error?.isCode(InitramfsCode.tooLong) == true)
    }

    /// Changed bytes anywhere: an answer or a typed error, never more than the limits.
    @Test(arguments: InitramfsReadingTests.codecs) func damageDoesNotTrap(_ codec: String?) throws {
        guard let packer = ImageMaker.packer(codec), Tool.has(packer.program) else {
            return print("a packer is not installed")
        }
        let archive = RawArchive.make { archive in
            archive.directory("usr")
            archive.directory("usr/lib")
            archive.link("lib", "usr/lib")
            archive.add("lib/a", Array("shared text".utf8), inode: 3, links: 2)
            archive.add("b", inode: 3, links: 2)
            archive.directory("conf")
            archive.file("conf/initramfs.conf", "MODULES=dep\n")
            archive.file("init", "#!/bin/sh\nmodprobe ext4\n")
            archive.add("c", Array("xy".utf8), magic: "070702", check: 241)
        }
        let image = try ImageMaker.packed(archive, codec)
        var random = SeededRandom(21)
        var failures = 0
        for _ in 0..<400 {
            var damaged = image
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: damaged.indices, using: &random)
                damaged[place] =
                    Bool.random(using: &random)
                    ? UInt8.random(in: 0...255, using: &random)
                    : damaged[place] ^ 1 << UInt8.random(in: 0...7, using: &random)
            }
            if Int.random(in: 0..<8, using: &random) == 0 {
                damaged.removeLast(Int.random(in: 0..<damaged.count, using: &random))
            }
            do {
                let (contents, report) = try InitramfsReport.read(InitramfsImage(ByteSource(damaged))) {
                    _, _ in true
                }
                if contents.failure != nil { failures += 1 }
                #expect(contents.entries.count < 1000)
                #expect(report.modules.isEmpty)
                _ = contents.files
            } catch {
                #expect(error.kind == .refused)
            }
        }
        #expect(failures > 20)
    }
}
