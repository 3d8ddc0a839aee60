import Codecs
import Initramfs
import Storage
import TestSupport
import Testing

/// Images as real programs make them.
@Suite struct InitramfsReadingTests {
    static let codecs = ImageMaker.packers.map(\.codec)

    private static let commands = """
        mkdir -p usr/lib usr/bin dev etc
        ln -s usr/lib lib
        printf 'some text' > etc/conf; chmod 640 etc/conf
        printf 'twice' > usr/bin/one; ln usr/bin/one usr/bin/two
        : > empty
        head -c 300000 /dev/zero > usr/lib/zeros
        ln -s /etc/conf usr/lib/conf
        """

    @Test(arguments: codecs, ["newc", "crc"])
    func everyEncodingIsRead(_ codec: String?, _ format: String) throws {
        guard let packer = ImageMaker.packer(codec), Tool.has("cpio", packer.program) else {
            return print("a packer is not installed")
        }
        let maker = try ImageMaker()
        let archive = try maker.archive("tree", Self.commands, format: format)
        let image = try maker.packed(archive, codec)
        let contents = try InitramfsContents.read(image)
        #expect(contents.failure == nil)
        #expect(
            contents.paths == [
                "dev", "empty", "etc", "etc/conf", "lib", "usr", "usr/bin", "usr/bin/one", "usr/bin/two",
                "usr/lib", "usr/lib/conf", "usr/lib/zeros",
            ])
        #expect(contents.members.count == 1)
        let member = try #require(contents.members.first)
        #expect(member.codec?.name == codec)
        #expect(member.decodedByteCount >= 300_000)
        #expect(member.offset + member.byteCount <= UInt64(image.count))
        #expect(contents.text("etc/conf") == "some text")
        #expect(contents.file(at: "etc/conf")?.permissions == 0o640)
        #expect(contents.text("usr/bin/one") == "twice")
        #expect(contents.text("usr/bin/two") == "twice")
        #expect(contents.file(at: "usr/bin/one")?.size == 5)
        #expect(contents.text("empty") == "")
        #expect(contents.bytes(of: "lib/zeros")?.count == 300_000)
        // A link to an absolute path is followed within the tree.
        #expect(contents.text("lib/conf") == "some text")
        #expect(contents.unresolvedFile(at: "lib")?.target == Array("usr/lib".utf8))
    }

    /// Microcode in front, zeros between, several compressed members of different kinds at the end.
    @Test func membersFollowEachOther() throws {
        guard Tool.has("cpio", "zstd", "xz") else { return print("a packer is not installed") }
        let maker = try ImageMaker()
        let microcode = try maker.archive(
            "early", "mkdir -p kernel/x86/microcode; echo code > kernel/x86/microcode/GenuineIntel.bin")
        let plain = try maker.archive("plain", "echo a > a; echo old > b")
        let first = try maker.packed(maker.archive("first", "echo new > b; echo c > c"), "zstd")
        let second = try maker.packed(maker.archive("second", "echo last > c"), "xz")
        let image =
            microcode + [UInt8](repeating: 0, count: 1024) + plain + first + [0, 0, 0] + second + [
                0, 0, 0, 0, 0,
            ]
        let contents = try InitramfsContents.read(image)
        #expect(contents.failure == nil)
        #expect(contents.members.map(\.codec?.name) == [nil, nil, "zstd", "xz"])
        #expect(contents.members.map(\.isEarly) == [true, false, false, false])
        #expect(contents.text("a") == "a\n")
        #expect(contents.text("b") == "new\n")
        #expect(contents.text("c") == "last\n")
        #expect(contents.members.map(\.entries.count).reduce(0, +) == contents.entries.count)
        // The places are those of the bytes.
        let starts = [0, microcode.count + 1024, microcode.count + 1024 + plain.count]
        #expect(contents.members.prefix(3).map(\.offset) == starts.map(UInt64.init))
        #expect(contents.members[2].byteCount == UInt64(first.count))
    }

    /// Pieces of any size: the reader of ranges decides nothing.
    @Test func aFileOfTheHostIsReadInRanges() throws {
        guard Tool.has("cpio", "gzip") else { return print("a packer is not installed") }
        let maker = try ImageMaker()
        let image = try maker.packed(maker.archive("tree", Self.commands), "gzip")
        var reads = 0
        let source = ByteSource(byteCount: UInt64(image.count)) { (target, offset) throws(StorageError) in
            reads += 1
            target.copy(image.span8.extracting(Int(offset)..<Int(offset) + target.byteCount), to: 0)
        }
        let contents = try InitramfsImage(source).contents()
        #expect(contents.entries.count == 12)
        #expect(contents.bytes(of: "etc/conf") == nil)
        #expect(reads > 0)
        let file = InitramfsImage(ByteSource(MemoryFile(image)))
        #expect(try file.contents().entries == contents.entries)
        // A part of something larger, as a section of a unified image is.
        let within = try ByteSource([1, 2, 3] + image + [4]).slice(3..<UInt64(image.count) + 3)
        #expect(try InitramfsImage(within).contents().entries == contents.entries)
        let seam = image.count / 3
        let joined = ByteSource.joined(
            ByteSource(Array(image[..<seam])), ByteSource(Array(image[seam...])))
        #expect(try InitramfsImage(joined).contents().entries == contents.entries)
    }

    /// A raw archive of gigabytes is passed over, not read.
    @Test func largeFilesArePassedOver() throws {
        var archive = RawArchive()
        archive.add("large", size: 0xffff_fff0)
        let head = archive.bytes
        let end = RawArchive.make { $0.file("behind", "x") }
        let total = UInt64(head.count) + 0xffff_fff0 + UInt64(end.count)
        var readByteCount = 0
        let source = ByteSource(byteCount: total) { (target, offset) throws(StorageError) in
            readByteCount += target.byteCount
            for index in 0..<target.byteCount {
                let place = offset + UInt64(index)
                let byte: UInt8 =
                    if place < UInt64(head.count) {
                        head[Int(place)]
                    } else if total - place <= UInt64(end.count) {
                        end[end.count - Int(total - place)]
                    } else { 0 }
                target.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
            }
        }
        let contents = try InitramfsImage(source).contents { path, _ in path == Array("behind".utf8) }
        #expect(contents.failure == nil)
        #expect(contents.text("behind") == "x")
        #expect(contents.file(at: "large")?.size == 0xffff_fff0)
        #expect(readByteCount < 2 << 20)
    }

    @Test(arguments: ["gzip", nil]) func anOldRootIsOpenedAsADevice(_ codec: String?) throws {
        guard Tool.has("mke2fs", "gzip") else { return print("mke2fs is not installed") }
        let maker = try ImageMaker()
        let path = try maker.directory.sparse("ext2", byteCount: 1 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-t", "ext2", "-b", "1024", path])
        let system = try fileBytes(path)
        let image = InitramfsImage(ByteSource(try maker.packed(system, codec)))
        let contents = try image.contents()
        #expect(contents.fileSystem == .ext2)
        #expect(contents.failure == nil)
        let device = try image.fileSystemDevice()
        #expect(isSame(try device.bytes(at: 0, count: 1 << 20), system))
        #expect(device.byteCount == 1 << 20)
        let error = #expect(throws: StorageError.self) { try image.fileSystemDevice(limit: 1 << 19) }
        #expect(error?.isCode(InitramfsCode.tooLong) == true)
        let archive = InitramfsImage(ByteSource(RawArchive.make { $0.file("a", "b") }))
        let none = #expect(throws: StorageError.self) { try archive.fileSystemDevice() }
        #expect(none?.isCode(InitramfsCode.notAnArchive) == true)
    }

    /// Contents are held under the limit, and what is left out is named.
    @Test func heldContentsAreBounded() throws {
        var limits = InitramfsLimits()
        limits.heldByteCount = 10
        let image = RawArchive.make { archive in
            archive.file("a", "12345")
            archive.file("b", "1234567")
            archive.file("c", "12345")
        }
        let contents = try InitramfsContents.read(image, limits: limits)
        #expect(contents.text("a") == "12345")
        #expect(contents.text("b") == nil)
        #expect(contents.text("c") == "12345")
        #expect(contents.omitted == [Array("b".utf8)])
    }
}
