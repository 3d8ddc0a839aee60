import Foundation
import Storage
import TestSupport
import Testing
@_spi(Testing) import Undo

/// `create -b`, `--parent` for each member, `resize --shrink`, and messages with the user's own paths.
@Suite(.enabled(if: Tool.has("qemu-img", "sfdisk", "mke2fs"), "judges are missing"))
struct ChildAndShrinkTests {
    /// A child of an image that is half changed would show what never was.
    @Test func aHalfChangedParentGetsNoChild() throws {
        let directory = try TemporaryDirectory()
        let base = try directory.write("base.img", [UInt8](repeating: 1, count: 1 << 20))
        do {
            let file = try RecordedFile.open(base)
            let transaction = try HostTransaction([file])
            try file.write([2, 2], at: 5)
            try transaction.commit()
        }
        try Fixture.diskgraft(
            "create", "-b", "base.img", "-F", "raw", "older.qcow2", directory: directory.root)
        try UndoRecord.setState(.hot, ofRecord: base + ".undo")
        // Nor is one changed that it has: what is copied up would stay.
        let child = directory.path("older.qcow2")
        let bytes = try fileBytes(child)
        for command in [
            ["resize", child, "2M"], ["label", "--volume", "disk", child, "x"],
        ] {
            let refusal = try Tool.run(
                Fixture.command, command + ["--parent", base], expect: 1...64)
            #expect(refusal.errorText.contains("cut off"), "\(command): \(refusal.errorText)")
        }
        #expect(try fileBytes(child) == bytes)
        let refusal = try Fixture.diskgraft(
            "create", "-b", "base.img", "-F", "raw", "child.qcow2", expect: 2...2, directory: directory.root)
        #expect(refusal.errorText.contains("cut off") && refusal.errorText.contains("undo"))
        #expect(!FileManager.default.fileExists(atPath: directory.path("child.qcow2")))
        try Fixture.diskgraft("undo", base)
        try Fixture.diskgraft(
            "create", "-b", "base.img", "-F", "raw", "child.qcow2", directory: directory.root)
    }

    @Test(arguments: ["raw"])
    func formatsWithoutChildrenRefuseAParent(_ format: String) throws {
        let directory = try TemporaryDirectory()
        try Fixture.diskgraft("create", "-f", format, directory.path("p.\(format)"), "1M")
        let child = directory.path("c.\(format)")
        let refused = try Fixture.diskgraft(
            "create", "-f", format, "-b", "p.\(format)", child, "1M", expect: 2...2)
        #expect(refused.errorText.contains("children"))
        #expect(!FileManager.default.fileExists(atPath: child))
    }

    @Test(arguments: ["qcow2", "vhd", "vhdx", "vdi", "vmdk"])
    func aParentIsAPathFromTheChildOrFromHereAndNeverTwo(_ format: String) throws {
        let directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(
            atPath: directory.path("sub"), withIntermediateDirectories: true)
        func create(_ parent: String, _ child: String, expect: ClosedRange<Int32> = 0...0) throws
            -> Tool.Result
        {
            try Fixture.diskgraft(
                "create", "-f", format, "-b", parent, child, expect: expect, directory: directory.root)
        }
        for place in ["sub/p", "here"] {
            try Fixture.diskgraft("create", "-f", format, directory.path(place), "1M")
        }
        // From the child's directory, as qemu-img has it; from the working directory.
        _ = try create("p", "sub/c1")
        _ = try create("here", "sub/c2")
        _ = try create("sub/p", "sub/c3")
        try Fixture.diskgraft("create", "-f", format, directory.path("sub/here"), "1M")
        #expect(try create("here", "sub/c4", expect: 2...2).errorText.contains("two files"))
        _ = try create("nothing", "sub/c5", expect: 1...1)
        #expect(!FileManager.default.fileExists(atPath: directory.path("sub/c5")))
        if format == "qcow2" {
            try Tool.run("qemu-img", ["check", "-q", directory.path("sub/c2")])
            let info = try Tool.run("qemu-img", ["info", "--output=json", directory.path("sub/c2")]).text
            #expect(info.contains("\"../here\""))
        } else {
            _ = try create("p", "sub/c6", expect: 0...0)
            let arguments = ["create", "-f", format, "-u", "-b", "p", "sub/c7", "1M"]
            try Tool.run(Fixture.command, arguments, directory: directory.root, expect: 64...64)
        }
    }

    @Test func aParentThatIsLeftOverIsRefusedByEveryCommand() throws {
        let directory = try TemporaryDirectory()
        let base = directory.path("base.qcow2")
        let other = directory.path("other.qcow2")
        let child = directory.path("child.qcow2")
        for path in [base, other] { try Fixture.diskgraft("create", path, "4M") }
        try Fixture.diskgraft("create", "-b", "base.qcow2", child)
        for command in [
            ["convert", child, directory.path("o.raw")], ["map", child], ["compare", child, base],
            ["resize", child, "+1M"], ["measure", child], ["check", child], ["ls", child],
        ] {
            let refused = try Tool.run(
                Fixture.command, command + ["--parent", base, "--parent", other], expect: 1...2)
            #expect(refused.errorText.contains("has it behind it"), "\(command)")
        }
        try Fixture.diskgraft("compare", child, base, "--parent", base)
        #expect(!FileManager.default.fileExists(atPath: directory.path("o.raw")))
    }

    @Test(arguments: ["raw", "qcow2"])
    func aDiskBecomesShorterWhereNothingLives(_ format: String) throws {
        let directory = try TemporaryDirectory()
        let raw = try directory.sparse("disk.img", byteCount: 64 << 20)
        try Tool.run(
            "sfdisk", ["-q", "--no-reread", "--no-tell-kernel", raw],
            input: "label: gpt\nstart=2048,size=16M\n")
        let path = directory.path("disk.\(format)")
        try Fixture.diskgraft("convert", raw, path)
        let before = try fileBytes(path)
        #expect(
            try Fixture.diskgraft("resize", path, "32M", expect: 2...2).errorText.contains("not made shorter")
        )
        // The partition ends at 17 MiB, and the GPT's backup needs room behind it.
        for size in ["16M", "17M"] {
            let refused = try Fixture.diskgraft("resize", "--shrink", path, size, expect: 2...2)
            #expect(refused.errorText.contains("partition"), "\(refused.errorText)")
            #expect(try fileBytes(path) == before)
        }
        try Fixture.diskgraft("resize", "--shrink", path, "-32M")
        try Fixture.diskgraft("check", path)
        let out = directory.path("out.img")
        try Tool.run("qemu-img", ["convert", "-f", format, "-O", "raw", path, out])
        #expect(try fileBytes(out).count == 32 << 20)
        let verify = try Tool.run("sfdisk", ["--verify", out], expect: nil)
        #expect((verify.text + verify.errorText).contains("No errors detected"))
        if format == "qcow2" { try Tool.run("qemu-img", ["check", "-q", path]) }
        // What was the backup does not show when the disk grows again.
        try Fixture.diskgraft("resize", path, "64M")
        try Fixture.diskgraft("check", "--repair", "gpt", path)
        for _ in 0..<3 { try Fixture.diskgraft("undo", path) }
        #expect(try fileBytes(path) == before)
    }

    /// An MBR has no backup whose place would tell: the partition itself is in the way, empty as it is.
    @Test func aPartitionOfAnMBRIsNotCutOff() throws {
        let directory = try TemporaryDirectory()
        let raw = try directory.sparse("disk.img", byteCount: 64 << 20)
        try Tool.run(
            "sfdisk", ["-q", "--no-reread", "--no-tell-kernel", raw],
            input: "label: dos\nstart=2048,size=16M\n")
        let before = try fileBytes(raw)
        let refused = try Fixture.diskgraft("resize", "--shrink", raw, "16M", expect: 2...2)
        #expect(refused.errorText.contains("partition 1 ends"), "\(refused.errorText)")
        let isUntouched = try fileBytes(raw) == before
        #expect(isUntouched)
        try Fixture.diskgraft("resize", "--shrink", raw, "17M")
        #expect(try fileBytes(raw).count == 17 << 20)
    }

    @Test func whatIsNotKnownIsNotCutOff() throws {
        let directory = try TemporaryDirectory()
        var bytes = [UInt8](repeating: 0, count: 8 << 20)
        bytes[7 << 20] = 1
        let path = try directory.write("data.raw", bytes)
        #expect(
            try Fixture.diskgraft("resize", "--shrink", path, "4M", expect: 2...2).errorText.contains(
                "not zeros"))
        let volume = try directory.sparse("ext4.raw", byteCount: 32 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-t", "ext4", volume])
        #expect(
            try Fixture.diskgraft("resize", "--shrink", volume, "24M", expect: 2...2).errorText.contains(
                "ext4"))
        for format in ["vhd", "vhdx", "vmdk", "vdi"] {
            let other = directory.path("x.\(format)")
            try Fixture.diskgraft("create", other, "8M")
            let before = try fileBytes(other)
            try Fixture.diskgraft("resize", "--shrink", other, "4M", expect: 2...2)
            #expect(try fileBytes(other) == before)
        }
    }

    /// There is no disk of 0 bytes; and a format that cannot become shorter says so before what lives behind the end.
    @Test func whatCanNeverBecomeShorter() throws {
        let directory = try TemporaryDirectory()
        for (format, size) in [("raw", "0"), ("raw", "-8M"), ("qcow2", "0")] {
            let path = directory.path("x.\(format)")
            try? FileManager.default.removeItem(atPath: path)
            try Fixture.diskgraft("create", path, "8M")
            let before = try fileBytes(path)
            try Fixture.diskgraft("resize", "--shrink", path, size, expect: 2...64)
            #expect(try fileBytes(path) == before, "\(format) \(size)")
        }
        let raw = try directory.write("ones.raw", [UInt8](repeating: 1, count: 8 << 20))
        for format in ["vhd", "vhdx", "vmdk", "vdi"] {
            let path = directory.path("full.\(format)")
            try Fixture.diskgraft("convert", raw, path)
            let refused = try Fixture.diskgraft("resize", "--shrink", path, "4M", expect: 2...2)
            #expect(refused.errorText.contains("not made shorter in this format"))
        }
    }

    @Test func messagesNameTheUsersPath() throws {
        let directory = try TemporaryDirectory()
        var random = SeededRandom(1)
        try directory.write("disk.raw", random.block(4 << 20))
        for arguments in [
            ["convert", "disk.raw", "no/such/x.vhd"], ["create", "no/such/x.vhd", "1M"],
            ["create", "-b", "nothing.vhd", "x.vhd"], ["convert", "-o", "block_size=3", "disk.raw", "y.vhd"],
            ["create", "z.vhd", "3T"],
        ] {
            let result = try Tool.run(
                Fixture.command, arguments, directory: directory.root, expect: 1...64)
            #expect(!result.errorText.contains(".partial"), "\(result.errorText)")
        }
        // The host's own limit: whatever fails, no hidden folder is named, and none is left.
        let limited = try Tool.run(
            "sh", ["-c", "ulimit -f 1000; exec \"$0\" convert disk.raw z.vhd", Fixture.command],
            directory: directory.root, expect: nil)
        #expect(limited.status != 0 && !limited.errorText.contains(".partial"))
        #expect(limited.errorText.contains("z.vhd"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.root) == ["disk.raw"])
    }

    @Test func anAzureDiskHasItsBackupTableAtItsEnd() throws {
        let directory = try TemporaryDirectory()
        let raw = try directory.sparse("disk.img", byteCount: 48 << 20 | 300 << 10)
        try Tool.run(
            "sfdisk", ["-q", "--no-reread", "--no-tell-kernel", raw], input: "label: gpt\nstart=2048\n")
        let path = directory.path("disk.vhd")
        try Fixture.diskgraft("convert", "--profile", "azure", raw, path)
        try Fixture.diskgraft("check", path)
        let bytes = try fileBytes(path)
        #expect(bytes.count == 49 << 20 | 512)
        #expect(Array(bytes.suffix(1024).prefix(8)) == Array("EFI PART".utf8))
        // Damage that the source has is not hidden.
        var damaged = try fileBytes(raw)
        damaged.replaceSubrange(damaged.count - 512..<damaged.count, with: [UInt8](repeating: 0, count: 512))
        let broken = try directory.write("broken.img", damaged)
        try Fixture.diskgraft("convert", "--profile", "azure", broken, directory.path("broken.vhd"))
        try Fixture.diskgraft("check", directory.path("broken.vhd"), expect: 2...2)
        let small = try directory.sparse("small.img", byteCount: 5 << 20)
        let refused = try Fixture.diskgraft(
            "convert", "--profile", "azure", small, directory.path("small.vhd"), expect: 2...2)
        #expect(refused.errorText.contains("20 MiB"))
    }

    @Test func aTableThatCounts4096ByteSectorsKeepsThem() throws {
        let directory = try TemporaryDirectory()
        let raw = try directory.write("k4.img", DiskOf4096.bytes(byteCount: 64 << 20))
        for (name, options) in [("a.vhdx", []), ("b.vhdx", ["-o", "logical_sector_size=4096"])] {
            let path = directory.path(name)
            try Tool.run(Fixture.command, ["convert"] + options + [raw, path])
            #expect(try Fixture.diskgraft("info", path).text.contains("4096"))
            let back = directory.path("back.img")
            try Fixture.diskgraft("convert", path, back)
            #expect(try fileBytes(back) == fileBytes(raw))
        }
        for name in ["x.vhd", "x.vmdk", "x.vdi", "x.qcow2"] {
            let path = directory.path(name)
            let refused = try Fixture.diskgraft("convert", raw, path, expect: 2...2)
            #expect(refused.errorText.contains("4096"))
            #expect(!FileManager.default.fileExists(atPath: path))
            try Fixture.diskgraft("convert", "--force", raw, path)
        }
        try Fixture.diskgraft(
            "convert", "-o", "logical_sector_size=512", raw, directory.path("c.vhdx"), expect: 2...2)
    }
}

/// A disk of 4096-byte sectors as a plain file: one partition from 1 MiB on.
private enum DiskOf4096 {
    static func bytes(byteCount: Int) -> [UInt8] {
        let sector = 4096
        let last = UInt64(byteCount / sector - 1)
        var disk = [UInt8](repeating: 0, count: byteCount)
        var entries = [UInt8](repeating: 0, count: 16384)
        // The type of Linux file systems.
        entries.replaceSubrange(
            0..<16,
            with: [
                0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47, 0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d,
                0xe4,
            ])
        entries.replaceSubrange(16..<32, with: [UInt8](repeating: 0x11, count: 16))
        entries.storeLittle(UInt64(256), at: 32)
        entries.storeLittle(UInt64(12255), at: 40)
        func header(own: UInt64, other: UInt64, table: UInt64) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: 92)
            bytes.replaceSubrange(0..<8, with: Array("EFI PART".utf8))
            bytes.storeLittle(UInt32(0x10000), at: 8)
            bytes.storeLittle(UInt32(92), at: 12)
            for (offset, value) in [24: own, 32: other, 40: 6, 48: last - 5, 72: table] {
                bytes.storeLittle(value, at: offset)
            }
            bytes.replaceSubrange(56..<72, with: [UInt8](repeating: 0x22, count: 16))
            bytes.storeLittle(UInt32(128), at: 80)
            bytes.storeLittle(UInt32(128), at: 84)
            bytes.storeLittle(checksum(entries), at: 88)
            bytes.storeLittle(checksum(bytes), at: 16)
            return bytes
        }
        disk.replaceSubrange(
            446..<462, with: [0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff])
        disk.replaceSubrange(510..<512, with: [0x55, 0xaa])
        disk.replaceSubrange(sector..<sector + 92, with: header(own: 1, other: last, table: 2))
        disk.replaceSubrange(2 * sector..<6 * sector, with: entries)
        let end = Int(last) * sector
        disk.replaceSubrange(end - 4 * sector..<end, with: entries)
        disk.replaceSubrange(end..<end + 92, with: header(own: last, other: 1, table: last - 4))
        return disk
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var value = UInt32.max
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
        }
        return ~value
    }
}
