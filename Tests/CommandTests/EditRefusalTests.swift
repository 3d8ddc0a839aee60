import Foundation
import TestSupport
import Testing

/// What the commands that change files refuse: by name, with what to do about it, nothing written.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "e2fsck", "qemu-img"), "judges are missing"))
struct EditRefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var make = EditCommandTests.ext4 + ["-J", "size=1"]
        /// debugfs commands that make the volume what it is.
        var prepare: [String] = []
        let command: [String]
        var status: Int32 = 2
        let says: String
        var testDescription: String { "\(prepare.joined(separator: "; ")) \(command.joined(separator: " "))" }
    }

    /// Flags of ext4_inode: 0x80000 is EXTENTS.
    static let cases: [Case] = [
        Case(prepare: ["ssv state 3"], command: ["rm", "/d/file"], says: "run e2fsck -f"),
        Case(prepare: ["feature FEATURE_R20"], command: ["rm", "/d/file"], says: "FEATURE_R20"),
        Case(
            prepare: ["feature shared_blocks"], command: ["chmod", "600", "/d/file"], says: "shared_blocks"),
        Case(prepare: ["feature read-only"], command: ["chmod", "600", "/d/file"], says: "read-only"),
        Case(prepare: ["ssv journal_inum 0"], command: ["rm", "/d/file"], says: "journal"),
        Case(prepare: ["sif /d/file flags 0x80010"], command: ["rm", "/d/file"], says: "chattr -i"),
        Case(
            prepare: ["sif /d/file flags 0x80010"], command: ["chmod", "600", "/d/file"], says: "chattr -i"),
        Case(prepare: ["sif /d/file flags 0x80020"], command: ["mv", "/d/file", "/x"], says: "chattr -a"),
        Case(prepare: ["sif /d flags 0x80010"], command: ["rm", "/d/file"], says: "chattr -i"),
        Case(prepare: ["sif /d/file flags 0x80800"], command: ["put", "SRC", "/d/file"], says: "encrypted"),
        Case(prepare: ["sif /d flags 0x80800"], command: ["mkdir", "/d/new"], says: "encrypted"),
        Case(prepare: ["sif /d/file flags 0x180000"], command: ["put", "SRC", "/d/file"], says: "fs-verity"),
        Case(prepare: ["sif /d flags 0x40080000"], command: ["mkdir", "/d/new"], says: "ignores case"),
        Case(
            make: EditCommandTests.ext4 + ["-O", "quota"], command: ["mkdir", "/d/new"],
            says: "tune2fs -O ^quota"),
        Case(
            make: EditCommandTests.ext4 + ["-O", "quota"], command: ["chown", "5", "/d/file"],
            says: "tune2fs -O ^quota"),
        Case(
            make: EditCommandTests.ext2, prepare: ["ssv state 0"], command: ["rm", "/d/file"],
            says: "e2fsck -p"),
        Case(command: ["put", "BIG", "/d/file"], says: "is full"),
        Case(
            make: EditCommandTests.ext4 + ["-N", "24"],
            command: ["mkdir", "-p", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15"],
            says: "no free inode"),
        Case(command: ["rmdir", "/d"], says: "is not empty"),
        Case(command: ["rm", "/d"], says: "rm -r"),
        Case(command: ["rmdir", "/d/file"], says: "no directory"),
        Case(command: ["rm", "/nope"], says: "there is no /nope"),
        Case(command: ["rm", "-r", "/"], says: "mounted at /"),
        Case(command: ["mkdir", "/d"], says: "is there already"),
        Case(command: ["mkdir", "/no/where"], says: "there is no /no"),
        Case(command: ["mkdir", "/d/file/x"], says: "is no directory"),
        Case(command: ["ln", "/d", "/e"], says: "ln -s"),
        Case(command: ["ln", "/d/file", "/d/sub/x"], says: "is there already"),
        Case(command: ["ln", "-s", "t", "/d/file"], says: "is there already"),
        Case(command: ["put", "SRC", "/d/dangling"], says: "leads nowhere"),
        Case(command: ["put", "SRC", "/no/file"], says: "there is no /no"),
        Case(command: ["put", "SRC", "/d/pipe"], says: "not a regular file"),
        Case(command: ["mv", "/d", "/d/sub"], status: 64, says: "into itself"),
        Case(command: ["mv", "/d/file", "/d/sub/x/y"], says: "is no directory"),
        Case(command: ["mknod", "/d/n", "q"], status: 64, says: "b, c, u, p and s"),
        Case(command: ["mknod", "/d/n", "b", "1"], status: 64, says: "major and a minor"),
        Case(command: ["mknod", "/d/n", "b", "4096", "1"], status: 64, says: "12 bits"),
        Case(command: ["label", "seventeen letters"], status: 64, says: "at most 16 bytes"),
        Case(command: ["chown", "nobody-here", "/d/file"], says: "/etc/passwd"),
        Case(
            command: ["xattr", "/d/file", "--remove", "user.none"], status: 64,
            says: "no such extended attribute"),
        Case(command: ["xattr", "/d/file", "--set", "user.big=BIGTEXT"], says: "do not fit"),
        Case(command: ["xattr", "/d/dangling", "--set", "user.x=1"], says: "there is no"),
        Case(command: ["xattr", "/d/pipe", "--set", "user.x=1"], says: "cannot have"),
        Case(command: ["untar", "SRC", "/d/file"], says: "is no directory"),
    ]

    @Test(arguments: cases)
    func refusedAndNothingWritten(_ item: Case) throws {
        let directory = try TemporaryDirectory()
        let tree = directory.path("tree")
        try Tool.run(
            "sh",
            [
                "-c",
                "mkdir -p \"$0/d/sub\" && cd \"$0/d\" && echo old > file && echo x > sub/x && mkfifo pipe && ln -s nowhere dangling",
                tree,
            ])
        let image = try directory.sparse("fs.img", byteCount: 4 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-b", "1024", "-d", tree] + item.make + [image])
        if item.make.last == "quota" { try Tool.run("e2fsck", ["-fy", image], expect: 0...1) }
        for command in item.prepare { try Tool.run("debugfs", ["-w", "-R", command, image]) }
        let source = try directory.write("src", "new\n")
        let big = try directory.write("big", [UInt8](repeating: 1, count: 5 << 20))
        let before = try fileBytes(image)
        var arguments = item.command.map {
            $0 == "SRC"
                ? source
                : $0 == "BIG"
                    ? big
                    : $0.replacingOccurrences(of: "BIGTEXT", with: String(repeating: "x", count: 5000))
        }
        arguments.insert(image, at: arguments[1].hasPrefix("-") ? 2 : 1)
        let result = try Tool.run(
            Fixture.command, arguments + ["--volume", "disk"], expect: item.status...item.status)
        #expect(result.errorText.contains(item.says), "\(result.errorText)")
        let isUntouched = try fileBytes(image) == before
        #expect(isUntouched)
        #expect(!FileManager.default.fileExists(atPath: image + ".undo"))
    }

    @Test func acrossVolumesAndMountPoints() throws {
        let directory = try TemporaryDirectory()
        let guest = try Fixture.guest(in: directory)
        let before = try fileBytes(guest)
        for (arguments, says) in [
            (["mv", guest, "/boot/grub/grub.cfg", "/etc"], "get` and `put"),
            (["ln", guest, "/boot/grub/grub.cfg", "/etc/grub.cfg"], "ln -s"),
            (["mv", guest, "/boot", "/bo"], "mounted at /boot"),
            (["rm", "-r", guest, "/boot"], "mounted at /boot"),
            (["rmdir", guest, "/boot"], "mounted at /boot"),
        ] {
            let result = try Tool.run(Fixture.command, arguments, expect: 2...2)
            #expect(result.errorText.contains(says), "\(result.errorText)")
        }
        // The editor: unchanged, failed.
        for (editor, status) in [("true", Int32(0)), ("false", 2)] {
            let result = try Tool.run(
                "sh",
                ["-c", "EDITOR=\(editor) exec \"$0\" edit \"$1\" /etc/hostname", Fixture.command, guest],
                expect: status...status)
            #expect(result.errorText.contains("nothing was written"))
        }
        let isUntouched = try fileBytes(guest) == before
        #expect(isUntouched)
        #expect(!FileManager.default.fileExists(atPath: guest + ".undo"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.root) == ["guest.img"])
    }

    /// Variants that cannot be changed in place, and an image that somebody has open.
    @Test func imagesThatAreNotWritten() throws {
        let directory = try TemporaryDirectory()
        let guest = try Fixture.guest(in: directory)
        let stream = directory.path("stream.vmdk")
        try Tool.run(
            "qemu-img", ["convert", "-O", "vmdk", "-o", "subformat=streamOptimized", guest, stream])
        let result = try Fixture.diskgraft("rm", stream, "/etc/hostname", expect: 2...2)
        #expect(result.errorText.contains("convert"))
        try Tool.run("chmod", ["444", guest])
        let source = try directory.write("src", "x")
        try Fixture.diskgraft("put", directory.path("none.img"), source, "/x", expect: 1...1)
        try Fixture.diskgraft("put", guest, directory.path("none"), "/x", expect: 1...1)
    }
}
