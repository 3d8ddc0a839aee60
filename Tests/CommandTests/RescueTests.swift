import Foundation
import Storage
import TestSupport
import Testing

/// Damaged and incomplete images: what is refused, what is told, and what is read all the same.
@Suite(.enabled(if: Tool.has("qemu-img", "qemu-io"), "qemu-utils is not installed"))
struct RescueTests {
    /// A raw disk of 4 MiB without zeros.
    private static func source(in directory: TemporaryDirectory) throws -> (path: String, bytes: [UInt8]) {
        var random = SeededRandom(31)
        let bytes = random.block(4 << 20).map { $0 | 1 }
        return (try directory.write("disk.raw", bytes), bytes)
    }

    @Test(arguments: ["vpc", "qcow2", "vmdk", "vdi", "vhdx"])
    func whatIsLeftOfACutOffImageIsCopiedAndTheRestIsListed(_ format: String) throws {
        let directory = try TemporaryDirectory()
        let (raw, bytes) = try Self.source(in: directory)
        let whole = directory.path("whole.img")
        try Tool.run(
            "qemu-img",
            ["convert", "-O", format]
                + (["vpc": ["-o", "force_size"], "vhdx": ["-o", "block_size=1M"]][format] ?? [])
                + [raw, whole])
        let cut = try directory.write("cut.img", Array(try fileBytes(whole).dropLast(700_000)))
        let out = directory.path("out.raw")
        let refused = try Fixture.diskgraft("convert", "-O", "raw", cut, out, expect: 1...1)
        #expect(refused.errorText.contains("--salvage"))
        #expect(!FileManager.default.fileExists(atPath: out))

        let result = try Fixture.diskgraft("convert", "--salvage", "-O", "raw", cut, out)
        let count = try Self.requireRight(result.errorText, try fileBytes(out), bytes)
        #expect(count > 0 && count < 2_800_000)
        // Where grains and blocks come last, what was cut off is lost and no more, the first part of the last one included.
        if ["vmdk", "vdi"].contains(format) { #expect(count <= 700_000 + 512) }
    }

    /// Bytes that are said to be lost. Every byte of the copy is the disk's or a listed zero.
    private static func requireRight(_ text: String, _ copy: [UInt8], _ bytes: [UInt8]) throws -> Int {
        try #require(copy.count == bytes.count)
        var lost = [Bool](repeating: false, count: bytes.count)
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let at = words.firstIndex(of: "bytes"), words.indices.contains(at + 3),
                words[at + 2] == "to",
                let first = Int(words[at + 1]), let last = Int(words[at + 3])
            else { continue }
            for index in first...last { lost[index] = true }
        }
        let isRight = bytes.indices.allSatisfy { lost[$0] ? copy[$0] == 0 : copy[$0] == bytes[$0] }
        #expect(isRight)
        return lost.count { $0 }
    }

    /// A file of a disk's plain bytes ends: what is behind that is lost, and no hole of the file.
    @Test(arguments: ["monolithicFlat", "twoGbMaxExtentFlat", "vmfs"])
    func whatIsLostOfFlatExtentsIsListed(_ subformat: String) throws {
        let directory = try TemporaryDirectory()
        let (raw, bytes) = try Self.source(in: directory)
        let image = directory.path("disk.vmdk")
        try Fixture.diskgraft("convert", "-f", "raw", "-o", "subformat=\(subformat)", raw, image)
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.root)
        let extent = try #require(names.first { $0.hasPrefix("disk-") })
        try directory.write(extent, Array(try fileBytes(directory.path(extent)).prefix(1_000_000)))
        let out = directory.path("out.raw")
        let result = try Fixture.diskgraft(
            "convert", "--salvage", "--allow-siblings", "-O", "raw", image, out)
        let count = try Self.requireRight(result.errorText, try fileBytes(out), bytes)
        #expect(count >= bytes.count - 1_000_000 && count <= bytes.count - 1_000_000 + 512)
    }

    /// Tables that are gone take with them what they map, not what lies before it, and not what never had a table.
    @Test func oneTableThatIsLostTakesNoOtherWithIt() throws {
        let directory = try TemporaryDirectory()
        let image = directory.path("disk.qcow2")
        let mega = 1 << 20
        try Tool.run("qemu-img", ["create", "-q", "-f", "qcow2", "-o", "cluster_size=4k", image, "40M"])
        try Tool.run(
            "qemu-io",
            [
                "-c", "write -P 1 0 64k", "-c", "write -P 2 12M 2M", "-c", "write -P 5 14M 1M", "-c",
                "write -P 3 20M 64k", image,
            ])
        let whole = try fileBytes(image)
        // A table of 4 KiB maps 2 MiB.
        let table = Int(
            whole.big(Int(whole.big(40, as: UInt64.self)) + 7 * 8, as: UInt64.self) & (1 << 56 - 1))
        let cut = try directory.write("cut.qcow2", Array(whole.prefix(table)))
        let out = directory.path("out.raw")
        let result = try Fixture.diskgraft("convert", "--salvage", "-O", "raw", cut, out)
        var bytes = [UInt8](repeating: 0, count: 40 * mega)
        for (start, end, value) in [
            (0, 65536, 1), (12 * mega, 14 * mega, 2), (14 * mega, 15 * mega, 5),
            (20 * mega, 20 * mega + 65536, 3),
        ] {
            for index in start..<end { bytes[index] = UInt8(value) }
        }
        #expect(try Self.requireRight(result.errorText, try fileBytes(out), bytes) == 4 * mega)
        // What the file has of the directory tells nothing of the rest of it.
        let directoryEnd = Int(whole.big(40, as: UInt64.self)) + 8 * 8
        try directory.write("cut.qcow2", Array(whole.prefix(directoryEnd)))
        let less = try Fixture.diskgraft("convert", "--salvage", "-O", "raw", cut, directory.path("less.raw"))
        #expect(
            less.errorText.contains("bytes 0 to 2097151")
                && less.errorText.contains("bytes 12582912 to 41943039"))
    }

    /// The footer of a fixed VHD is its last sector: what says what it is may be all that is lost.
    @Test func aFixedVHDWithoutItsEndIsReadAsRaw() throws {
        let directory = try TemporaryDirectory()
        let (raw, bytes) = try Self.source(in: directory)
        let image = directory.path("disk.vhd")
        try Fixture.diskgraft("convert", "-f", "raw", "-o", "subformat=fixed", raw, image)
        let cut = try directory.write("cut.vhd", Array(try fileBytes(image).dropLast(512)))
        let out = directory.path("out.raw")
        let refused = try Fixture.diskgraft(
            "convert", "--salvage", "-f", "vpc", "-O", "raw", cut, out, expect: 1...1)
        #expect(refused.errorText.contains("-f raw"))
        try Fixture.diskgraft("convert", "--salvage", "-f", "raw", "-O", "raw", cut, out)
        #expect(try fileBytes(out).elementsEqual(bytes))
    }

    @Test func aSoundImageLosesNothing() throws {
        let directory = try TemporaryDirectory()
        let (raw, bytes) = try Self.source(in: directory)
        let image = directory.path("disk.qcow2")
        try Tool.run("qemu-img", ["convert", "-c", "-O", "qcow2", raw, image])
        let out = directory.path("out.raw")
        let result = try Fixture.diskgraft("convert", "--salvage", "-O", "raw", image, out)
        #expect(result.errorText.isEmpty)
        #expect(try fileBytes(out) == bytes)
    }

    @Test(arguments: [("qcow2", ["-c"]), ("vmdk", ["-o", "subformat=streamOptimized"])])
    func checkDecodesCompressedUnits(_ format: String, _ options: [String]) throws {
        let directory = try TemporaryDirectory()
        // Four bits in a byte: half of it is left, and its middle is in a stream.
        var random = SeededRandom(5)
        let text = try directory.write("disk.raw", random.block(4 << 20).map { $0 & 15 })
        let image = directory.path("disk.img")
        try Tool.run("qemu-img", ["convert", "-O", format] + options + [text, image])
        try Fixture.diskgraft("check", image, "-f", format)
        var bytes = try fileBytes(image)
        // In the middle of a stream: past the tables of either.
        let place = bytes.count / 2
        // A qcow2 has no checksum of its streams: what is sure to show is one that begins with a block of no known kind, and
        // one begins in every 64 KiB.
        if format == "qcow2" {
            for index in place..<place + 65536 { bytes[index] = 7 }
        } else {
            for index in place..<place + 64 { bytes[index] ^= 0x55 }
        }
        try Data(bytes).write(to: URL(fileURLWithPath: image))
        let result = try Fixture.diskgraft("check", "--json", image, "-f", format, expect: 2...2)
        #expect(result.text.contains("compressed-unit") || result.text.contains("grain-header"))
    }

    @Test func aDescriptorIsToldOfThoughItsPiecesAreMissing() throws {
        let directory = try TemporaryDirectory()
        let (raw, _) = try Self.source(in: directory)
        let path = directory.path("split.vmdk")
        try Tool.run(
            "qemu-img", ["convert", "-O", "vmdk", "-o", "subformat=twoGbMaxExtentSparse", raw, path])
        let piece = directory.path("split-s001.vmdk")
        for command in [["convert", piece, directory.path("o.qcow2")], ["info", piece]] {
            let refused = try Tool.run(Fixture.command, command, expect: nil)
            #expect(command[0] == "info" ? refused.status == 0 : refused.status == 2)
            #expect((refused.text + refused.errorText).contains("descriptor"))
        }
        try FileManager.default.removeItem(atPath: piece)
        let info = try Fixture.diskgraft("info", path).text
        #expect(
            info.contains("twoGbMaxExtentSparse") && info.contains("4 MiB") && info.contains("split-s001"))
        try Fixture.diskgraft("convert", path, directory.path("o.qcow2"), expect: 1...1)
    }

    /// What is compressed and damaged, and what is in a form that is not read.
    @Test func compressedFilesAreRefusedByName() throws {
        let directory = try TemporaryDirectory()
        for (name, magic, status) in [
            ("lz4", [0x04, 0x22, 0x4d, 0x18], 1...1), ("7z", [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], 2...2),
            ("lzo", [0x89, 0x4c, 0x5a, 0x4f, 0, 0x0d, 0x0a, 0x1a, 0x0a], 1...1),
        ] as [(String, [UInt8], ClosedRange<Int32>)] {
            let path = try directory.write("disk", magic + [UInt8](repeating: 7, count: 4096))
            #expect(try Fixture.diskgraft("info", path, expect: status).errorText.contains(name))
        }
    }
}
