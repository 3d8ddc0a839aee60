import Foundation
import Storage
import TestSupport
import Testing

/// The commands that change files of a guest, judged by debugfs and e2fsck.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "e2fsck", "qemu-img", "tar"), "judges are missing"))
struct EditCommandTests {
    private static let bootAndRoot = [Fixture.bootOffset, Fixture.rootOffset]

    private static let common = "none,ext_attr,resize_inode,dir_index,filetype,sparse_super,large_file"
    static let ext2 = ["-O", common, "-I", "128"]
    static let ext3 = ["-O", common + ",has_journal", "-I", "128"]
    static let crc16 = [
        "-O", common + ",has_journal,extent,flex_bg,huge_file,uninit_bg,dir_nlink,extra_isize", "-I", "256",
    ]
    static let ext4 = [
        "-O",
        common
            + ",has_journal,extent,64bit,flex_bg,huge_file,metadata_csum,metadata_csum_seed,dir_nlink,extra_isize",
        "-I", "256",
    ]

    /// Runs the command with text on its standard input.
    @discardableResult
    static func feed(_ input: String, _ arguments: String..., expect: ClosedRange<Int32> = 0...0) throws
        -> Tool.Result
    {
        try Tool.run(Fixture.command, arguments, input: input, expect: expect)
    }

    /// Contents longer than a piece get into a file of several names, which keeps them, its inode and its attributes.
    @Test(arguments: [ext2, ext3, crc16, ext4, ext4 + ["-O", "inline_data"]], ["long", "short", "none"])
    func aLongFileOfSeveralNames(_ features: [String], _ before: String) throws {
        let directory = try TemporaryDirectory()
        let image = try directory.sparse("fs.img", byteCount: 64 << 20)
        try Tool.run("mke2fs", ["-q", "-F"] + features + [image])
        var random = SeededRandom(5)
        let new = random.bytes(18_000_001)
        let source = try directory.write("new", new)
        let old = try directory.write(
            "old", before == "long" ? random.bytes(9_000_000) : before == "short" ? [1, 2, 3] : [])
        try Fixture.diskgraft("put", "--volume", "disk", image, old, "/a")
        try Fixture.diskgraft("ln", "--volume", "disk", image, "/a", "/b")
        try Fixture.diskgraft("chmod", "--volume", "disk", image, "751", "/a")
        try Fixture.diskgraft("chown", "--volume", "disk", image, "7:8", "/a")
        try Fixture.diskgraft("xattr", "--volume", "disk", image, "/a", "--set", "user.note=hello")
        let debugfs = Debugfs(image)
        let inode = try debugfs.run("stat /b").text.prefix { $0 != "T" }
        let whole = try fileBytes(image)
        try Fixture.diskgraft("put", "--volume", "disk", image, source, "/b")
        try debugfs.check()
        let isNew = try Fixture.diskgraft("cat", "--volume", "disk", image, "/a").output == new
        #expect(isNew)
        #expect(try debugfs.run("stat /a").text.prefix { $0 != "T" } == inode)
        let stat = try Fixture.diskgraft("stat", "--volume", "disk", image, "/a").text
        #expect(stat.contains("751") && stat.contains("7:8"))
        #expect(
            try Fixture.diskgraft("xattr", "--volume", "disk", image, "/a").text.contains("user.note=hello"))
        #expect(
            try Fixture.diskgraft("find", "--volume", "disk", image, "/").text == "/\n/a\n/b\n/lost+found\n")
        try Fixture.diskgraft("undo", image)
        let isOld = try fileBytes(image) == whole
        #expect(isOld)
    }

    @Test(arguments: ["raw", "qcow2", "vmdk", "vpc", "vhdx"])
    func everyCommandOnEveryFormat(_ format: String) throws {
        let directory = try TemporaryDirectory()
        let guest = try Fixture.guest(in: directory)
        let image = directory.path("g.\(format)")
        if format == "raw" {
            try Tool.run("cp", ["--sparse=always", guest, image])
        } else {
            try Tool.run("qemu-img", ["convert", "-O", format, guest, image])
        }
        let source = try directory.write("file.conf", "from the host\n")
        try Tool.run("chmod", ["640", source])
        let archive = directory.path("a.tar")
        try Tool.run(
            "sh", ["-c", "mkdir t && echo in > t/in && ln t/in t/hard && tar -cf \"$0\" t", archive],
            directory: directory.root)

        try Self.feed("web02\n", "put", image, "-", "/etc/hostname")
        try Fixture.diskgraft("put", image, source, "/boot")
        try Fixture.diskgraft("mkdir", "-p", image, "/srv/app/data")
        try Fixture.diskgraft("ln", image, "/boot/file.conf", "/boot/hard")
        try Fixture.diskgraft("ln", "-s", image, "/etc/hostname", "/srv/app/soft")
        try Fixture.diskgraft("mv", image, "/etc/hostname", "/srv/app/data")
        try Fixture.diskgraft("chmod", image, "u=rwx,g=rx,o=", "/srv/app/data/hostname")
        try Fixture.diskgraft("chown", "-R", image, "7:8", "/srv/app")
        try Fixture.diskgraft("mknod", "-m", "600", image, "/srv/null", "c", "1", "3")
        try Fixture.diskgraft("xattr", image, "/srv/app", "--set", "user.note=hello")
        try Fixture.diskgraft("label", image, "newroot")
        try Fixture.diskgraft("label", image, "newswap", "--volume", "p2")
        try Fixture.diskgraft("untar", image, archive, "/srv")
        try Fixture.diskgraft("rm", "-r", image, "/boot/grub")
        try Tool.run(
            "sh",
            [
                "-c", "EDITOR='sed -i s/from/edited/' exec \"$0\" edit \"$1\" /boot/hard", Fixture.command,
                image,
            ])

        let raw = directory.path("back.img")
        try Tool.run("qemu-img", ["convert", "-f", format, "-O", "raw", image, raw])
        for offset in Self.bootAndRoot { try Debugfs(raw, offset: offset).check() }
        let root = try Debugfs(raw, offset: Fixture.rootOffset).tree()
        let boot = try Debugfs(raw, offset: Fixture.bootOffset).tree()
        #expect(root["/etc/hostname"] == nil)
        #expect(root["/srv/app/data/hostname"]?.contents == Array("web02\n".utf8))
        #expect(root["/srv/app/data/hostname"]?.mode == "0750")
        #expect(root["/srv/app/data"]?.owner == "7:8")
        #expect(root["/srv/app"]?.attributes.contains { $0.contains("user.note") } == true)
        #expect(root["/srv/t/in"]?.links == "2" && root["/srv/t/hard"]?.contents == Array("in\n".utf8))
        #expect(root["/srv/null"]?.mode == "0600")
        #expect(boot["/file.conf"]?.contents == Array("edited the host\n".utf8))
        #expect(boot["/hard"]?.links == "2" && boot["/hard"]?.mode == "0640")
        #expect(boot["/grub"] == nil)
        #expect(try Fixture.diskgraft("label", image).text == "newroot\n")
        #expect(try Fixture.diskgraft("label", image, "--volume", "p2").text == "newswap\n")
        #expect(try Fixture.diskgraft("cat", image, "/srv/app/soft", expect: 2...2).text == "")
        // Only the newest change is taken back.
        try Fixture.diskgraft("undo", image)
        #expect(try Fixture.diskgraft("cat", image, "/boot/hard").text == "from the host\n")
    }

    static func volume(
        _ options: [String], in directory: TemporaryDirectory, name: String = "fs.img",
        mebibytes: UInt64 = 16,
        script: String = "mkdir -p d/sub && echo old > d/file && echo x > d/sub/x && chmod 640 d/file"
    ) throws -> String {
        let tree = directory.path("tree-\(name)")
        try Tool.run("mkdir", [tree])
        try Tool.run("sh", ["-c", script], directory: tree)
        let image = try directory.sparse(name, byteCount: mebibytes << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-d", tree] + options + [image])
        return image
    }

    @Test(arguments: [
        ext2, ext3 + ["-b", "1024"], crc16, ext4 + ["-O", "inline_data"], ext4 + ["-b", "1024"],
    ])
    func replacementKeepsWhatAFileIs(_ options: [String]) throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(options, in: directory)
        let label = "system_u:object_r:etc_t:s0"
        for command in [
            "sif /d/file uid 11", "sif /d/file gid 12", "ea_set /d/file security.selinux \(label)",
        ] {
            try Tool.run("debugfs", ["-w", "-R", command, image])
        }
        try Tool.run("e2fsck", ["-fy", image], expect: 0...1)
        try Self.feed("replaced\n", "put", image, "-", "/d/file", "--volume", "disk")
        try Self.feed("new\n", "put", image, "-", "/d/new", "--volume", "disk")
        try Fixture.diskgraft("chown", image, "5", "/d/sub", "--volume", "disk")
        try Self.feed("own\n", "put", "-m", "4755", image, "-", "/d/sub/own", "--volume", "disk")
        let debugfs = Debugfs(image)
        try debugfs.check()
        let tree = try debugfs.tree()
        let file = try #require(tree["/d/file"])
        // debugfs prints inline contents with their padding.
        #expect(file.contents?.starts(with: Array("replaced\n".utf8)) == true)
        #expect(file.owner == "11:12" && file.mode == "0640")
        #expect(file.attributes.contains { $0.contains(label) })
        let new = try #require(tree["/d/new"])
        #expect(new.mode == "0644" && new.attributes.contains { $0.contains(label) })
        #expect(tree["/d/sub/own"]?.owner.hasPrefix("5:") == true && tree["/d/sub/own"]?.mode == "04755")
    }

    @Test func accessListsAndTheMode() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(Self.ext4, in: directory)
        func xattr(_ path: String, _ more: String...) throws -> String {
            try Tool.run(Fixture.command, ["xattr", image, path, "--volume", "disk"] + more).text
        }
        let text = "u::rw-,u:33:rwx,g::r--,m::rwx,o::---"
        _ = try xattr("/d/file", "--set", "system.posix_acl_access=u::rw-,u:33:rwx,g::r--,o::---")
        #expect(try xattr("/d/file") == "system.posix_acl_access=\(text)\n")
        #expect(try Debugfs(image).tree()["/d/file"]?.mode == "0670")
        // chmod changes owner, mask and others.
        try Fixture.diskgraft("chmod", image, "600", "/d/file", "--volume", "disk")
        #expect(try xattr("/d/file").contains("u:33:rwx,g::r--,m::---,o::---"))
        // A list that says what the mode says is not kept.
        _ = try xattr("/d/file", "--set", "system.posix_acl_access=u::rw-,g::r--,o::r--")
        #expect(try xattr("/d/file") == "")
        #expect(try Debugfs(image).tree()["/d/file"]?.mode == "0644")
        // New files inherit the directory's default list.
        _ = try xattr("/d", "--set", "system.posix_acl_default=u::rwx,u:44:rwx,g::r-x,o::---")
        try Self.feed("new\n", "put", "-m", "0664", image, "-", "/d/new", "--volume", "disk")
        #expect(
            try xattr("/d/new", "--get", "system.posix_acl_access")
                == "u::rw-,u:44:rwx,g::r-x,m::rw-,o::---\n")
        #expect(try Debugfs(image).tree()["/d/new"]?.mode == "0660")
        try Fixture.diskgraft("mkdir", image, "/d/below", "--volume", "disk")
        #expect(try xattr("/d/below").contains("system.posix_acl_default=u::rwx,u:44:rwx"))
        try Debugfs(image).check()
        for bad in [
            ["--set", "system.posix_acl_access=u::rw-"], ["--set", "nonsense=1"], ["--set", "user.x"],
            ["--set", "user.x=0xzz"], ["--set", "user.x=1", "--get", "user.x"],
        ] {
            try Tool.run(
                Fixture.command, ["xattr", image, "/d/file", "--volume", "disk"] + bad, expect: 64...64)
        }
        try Tool.run(
            Fixture.command,
            [
                "xattr", image, "/d/file", "--volume", "disk", "--set",
                "system.posix_acl_default=u::rw-,g::---,o::---",
            ],
            expect: 2...2)
    }

    /// As chown(2) does: who owns a program now never gave it these rights.
    @Test func chownTakesPrivilegesAway() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(Self.ext4, in: directory, script: "touch f && chmod 6755 f")
        let capability = "0x0100000200200000000000000000000000000000"
        try Fixture.diskgraft(
            "xattr", image, "/f", "--set", "security.capability=\(capability)", "--volume", "disk")
        #expect(try Debugfs(image).tree()["/f"]?.attributes.contains { $0.contains("capability") } == true)
        try Fixture.diskgraft("chown", image, "5:6", "/f", "--volume", "disk")
        let file = try Debugfs(image).tree()["/f"]
        #expect(file?.mode == "0755" && file?.owner == "5:6")
        #expect(file?.attributes.contains { $0.contains("capability") } == false)
        try Debugfs(image).check()
    }

    /// chmod(1) itself is the judge.
    @Test func modesAreChmods() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(
            Self.ext4, in: directory, script: "mkdir d && touch f && chmod 2751 d && chmod 4640 f")
        let host = directory.path("tree-fs.img")
        for mode in [
            "0", "755", "1777", "u+x", "go-rwx", "a=rX", "u=rwxs,g+s,o=t", "+x", "-w", "=r", "g=u", "o=g-w",
            "ug+rw,o-r", "u-s", "a+X", "g-s", "=", "+t", "u+s", "02750",
        ] {
            for name in ["d", "f"] {
                try Tool.run("sh", ["-c", "umask 022; chmod -- \"$0\" \"$1/\(name)\"", mode, host])
                try Tool.run(
                    Fixture.command, ["chmod", "--volume", "disk", image, "--", mode, "/" + name], expect: nil
                )
                let theirs = try Tool.run("stat", ["-c", "%a", host + "/" + name]).text
                let ours = try Fixture.diskgraft("stat", image, "/" + name, "--volume", "disk").text
                let line = try #require(ours.split(separator: "\n").first { $0.hasPrefix("mode:") })
                let octal = line.split(separator: " ").dropFirst().first.map(String.init)
                #expect(octal ?? "" == theirs.dropLast(), "\(mode) \(name)")
            }
        }
        for bad in ["8", "77777", "u+q", "x", "u", ""] {
            try Fixture.diskgraft("chmod", image, bad, "/f", "--volume", "disk", expect: 64...64)
        }
    }

    /// A tree larger than the journal is unpacked and removed in several transactions, each one sound.
    @Test func whatExceedsTheJournalIsSplit() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(
            Self.ext4 + ["-b", "1024", "-J", "size=1", "-N", "8000"], in: directory, mebibytes: 48)
        func sequence() throws -> Int {
            let text = try Tool.run("dumpe2fs", ["-h", image]).text
            let line = text.split(separator: "\n").first { $0.hasPrefix("Journal sequence:") }
            return Int(String(line?.split(separator: " ").last ?? "").dropFirst(2), radix: 16) ?? 0
        }
        let archive = directory.path("many.tar")
        try Tool.run(
            "sh",
            [
                "-c",
                "for d in $(seq 50); do mkdir -p many/$d; for f in $(seq 100); do echo $d-$f > many/$d/$f; done; done;"
                    + "tar -cf \"$0\" many", archive,
            ], directory: directory.root)
        var before = try sequence()
        try Fixture.diskgraft("untar", image, archive, "--volume", "disk")
        try Debugfs(image).check()
        #expect(try sequence() > before + 1)
        let out = directory.path("out")
        try Tool.run("mkdir", [out])
        try Tool.run("debugfs", ["-R", "rdump /many \(out)", image])
        try Tool.run("diff", ["-r", directory.path("many"), out + "/many"])
        before = try sequence()
        try Fixture.diskgraft("rm", "-r", image, "/many", "--volume", "disk")
        try Debugfs(image).check()
        #expect(try sequence() > before + 1)
        #expect(try Debugfs(image).run("ls -p /").text.contains("many") == false)
        // One undo takes all of it back.
        try Fixture.diskgraft("undo", image)
        try Debugfs(image).check()
        #expect(try Debugfs(image).cat("/many/40/60") == "40-60\n")
        // A file larger than the journal, new and in place of another.
        let large = directory.path("large")
        try Tool.run("sh", ["-c", "head -c 18000000 /dev/urandom > \"$0\"", large])
        try Fixture.diskgraft("put", image, large, "/d", "--volume", "disk")
        try Fixture.diskgraft("put", image, large, "/d/file", "--volume", "disk")
        try Debugfs(image).check()
        for name in ["large", "file"] {
            try Tool.run("debugfs", ["-R", "dump /d/\(name) \(out)/\(name)", image])
            try Tool.run("cmp", [large, out + "/" + name])
        }
        #expect(try Debugfs(image).run("stat /d/file").text.contains("Mode:  0640"))
        #expect(try Debugfs(image).run("ls -p /d").text.contains(".diskgraft-") == false)
    }

    /// A change of the parent, though newer, is not the overlay's to take back.
    @Test func undoLeavesTheParentAlone() throws {
        let directory = try TemporaryDirectory()
        let base = try Self.volume(Self.ext4, in: directory, name: "base.img")
        let overlay = directory.path("overlay.qcow2")
        try Tool.run(
            "qemu-img", ["create", "-q", "-f", "qcow2", "-b", "base.img", "-F", "raw", overlay],
            directory: directory.root)
        let before = try fileBytes(overlay)
        try Self.feed("o\n", "put", "--allow-siblings", overlay, "-", "/d/o", "--volume", "disk")
        try Self.feed("b\n", "put", base, "-", "/d/b", "--volume", "disk", "--despite-children")
        let changed = try fileBytes(base)
        try Fixture.diskgraft("undo", "--allow-siblings", overlay)
        #expect(try fileBytes(base) == changed)
        #expect(try fileBytes(overlay) == before)
    }
}
