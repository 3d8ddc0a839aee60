import Foundation
import TestSupport
import Testing

/// Names that no path can have are refused by every reader, on the file systems besides ext4 too, whose gate is another.
@Suite struct HostileNameTests {
    /// Every reader of /top refuses, makes nothing outside, and what else is there can be had by its name.
    private static func judge(_ image: String, _ name: [UInt8], in directory: TemporaryDirectory) throws {
        for command in [["ls"], ["ls", "-R"], ["find"], ["tar"]] {
            let result = try Tool.run(
                Fixture.command, command + [image, "/top", "--volume", "disk"], expect: 1...1)
            #expect(result.errorText.contains("which no path can have"), "\(command) \(name)")
        }
        let sandbox = directory.path("sandbox")
        try Tool.run("rm", ["-rf", sandbox])
        try Tool.run("mkdir", ["-p", sandbox + "/a/b"])
        try Fixture.diskgraft(
            "get", image, "/top", "a/b/dest", "--volume", "disk", expect: 1...1, directory: sandbox)
        #expect(try Tool.run("find", [".", "-type", "f"], directory: sandbox).text.isEmpty)
        let before = try fileBytes(image)
        for command in [["rm", "-r", image, "/top"], ["chmod", "-R", image, "700", "/top"]] {
            let result = try Tool.run(Fixture.command, command + ["--volume", "disk"], expect: nil)
            // FAT keeps no modes.
            #expect(result.status == 1 || result.status == 2, "\(command)")
        }
        #expect(try fileBytes(image) == before)
        try Fixture.diskgraft("check", image, expect: 2...2)
        #expect(try Fixture.diskgraft("cat", image, "/top/plain", "--volume", "disk").text == "x\n")
    }

    private static func patch(_ image: String, _ bytes: [UInt8], at offset: UInt64) throws {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: image))
        try file.seek(toOffset: offset)
        try file.write(contentsOf: Data(bytes))
        try file.close()
    }

    private static func place(of bytes: String, in image: String) throws -> UInt64 {
        let found = try Tool.run("grep", ["-obUaF", bytes, image]).text.split(separator: "\n")
        #expect(found.count == 1)
        return try #require(found.first?.split(separator: ":").first.flatMap { UInt64($0) })
    }

    /// Names in the root's own inode, without a checksum.
    @Test(.enabled(if: Tool.has("mkfs.xfs"), "mkfs.xfs is missing")) func onXFS() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("file", "x\n")
        let plan = try directory.write(
            "plan",
            """
            /
            0 0
            d--755 0 0
            top d--755 0 0
            ZZZZZZZZZZ ---644 0 0 \(file)
            plain ---644 0 0 \(file)
            Q~ ---644 0 0 \(file)
            ~ ---644 0 0 \(file)
            $
            $

            """)
        let sound = try directory.sparse("sound.img", byteCount: 300 << 20)
        try Tool.run("mkfs.xfs", ["-q", "-m", "crc=0", "-n", "ftype=1", "-p", plan, sound])
        try Fixture.diskgraft("check", sound)
        let long = try Self.place(of: "ZZZZZZZZZZ", in: sound)
        let two = try Self.place(of: "Q~", in: sound)
        // Behind it: a type, an inode's number, a length, a place.
        let one = two + 10
        for (name, offset) in [
            (Array("../../evil".utf8), long), (Array("dd/escaped".utf8), long),
            (Array("nul\0inside".utf8), long), (Array("..".utf8), two), (Array(".".utf8), one),
        ] {
            let image = directory.path("x.img")
            try Tool.run("cp", ["--sparse=always", sound, image])
            try Self.patch(image, name, at: offset)
            try Self.judge(image, name, in: directory)
        }
    }

    /// A long name in the slots before the short one.
    @Test(.enabled(if: Tool.has("mkfs.vfat", "mcopy"), "mkfs.vfat or mcopy is missing")) func onFAT() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("file", "x\n")
        let sound = try directory.sparse("sound.img", byteCount: 4 << 20)
        try Tool.run("mkfs.vfat", ["-F", "12", sound])
        try Tool.run("mmd", ["-i", sound, "::/top"])
        try Tool.run("mcopy", ["-i", sound, file, "::/top/ZZZZZZZZZZ"])
        try Tool.run("mcopy", ["-i", sound, file, "::/top/plain"])
        try Fixture.diskgraft("check", sound)
        let bytes = try fileBytes(sound)
        // The slot of a long name's only part: its number, five letters, its mark.
        let letters: [UInt8] = [0x41] + (0..<5).flatMap { _ in [UInt8(ascii: "Z"), 0] } + [0x0f]
        let slot = try #require(
            stride(from: 0, to: bytes.count - 32, by: 32).first { bytes[$0..<$0 + 12].elementsEqual(letters) }
        )
        for name in ["../../evil", "dd/escaped", "..", "."] {
            let image = directory.path("f.img")
            try Tool.run("cp", [sound, image])
            var units = Array(name.utf16)
            if units.count < 13 { units.append(0) }
            units += [UInt16](repeating: 0xffff, count: 13 - units.count)
            for (index, unit) in units.enumerated() {
                let place =
                    index < 5 ? 1 + 2 * index : index < 11 ? 14 + 2 * (index - 5) : 28 + 2 * (index - 11)
                try Self.patch(
                    image, [UInt8(truncatingIfNeeded: unit), UInt8(truncatingIfNeeded: unit >> 8)],
                    at: UInt64(slot + place))
            }
            try Self.judge(image, Array(name.utf8), in: directory)
        }
    }

    /// The kernel ends a link's target, and the name of an attribute, at a NUL: what holds one is damage, and no part of it
    /// gets into an archive.
    @Test(.enabled(if: Tool.has("mke2fs", "debugfs"), "mke2fs or debugfs is missing"))
    func nulEndsNoNameInTheMiddle() throws {
        let directory = try TemporaryDirectory()
        let image = try directory.sparse("v.img", byteCount: 4 << 20)
        try Tool.run(
            "mke2fs", ["-q", "-F", "-O", "none,filetype,ext_attr", "-I", "128", "-b", "1024", image])
        let file = try directory.write("file", "x\n")
        let long = String(repeating: "l", count: 90)
        let commands = try directory.write(
            "commands",
            """
            mkdir /fast
            symlink /fast/link FASTTARGET
            mkdir /slow
            symlink /slow/link SLOWTARGET\(long)
            mkdir /named
            write \(file) /named/file
            ea_set /named/file user.NAMEINSIDE value
            """)
        try Tool.run("debugfs", ["-w", "-f", commands, image])
        try Fixture.diskgraft("check", image)
        for (place, text) in [("/fast", "FASTTARGET"), ("/slow", "SLOWTARGET"), ("/named", "NAMEINSIDE")] {
            let copy = directory.path("copy.img")
            try Tool.run("cp", [image, copy])
            try Self.patch(copy, [0], at: try Self.place(of: text, in: copy) + 4)
            let archive = try Tool.run(
                Fixture.command, ["tar", copy, place, "--volume", "disk"], expect: nil)
            #expect(archive.status == 1, "\(place): \(archive.status)")
            #expect(archive.errorText.contains("NUL"), "\(archive.errorText)")
            let known = try directory.write("a.tar", archive.output)
            try Tool.run("tar", ["-tf", known])
            let checked = try Tool.run(Fixture.command, ["check", copy], expect: 2...2)
            #expect(checked.text.contains("NUL"), "\(place)")
        }
    }
}
