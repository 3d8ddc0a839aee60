import Foundation
import TestSupport
import Testing

/// What an archive says is what a guest gets, and the other way round: where reading fails half-way, where lists and
/// links could be taken for others, and where a header claims what no tar writes.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "e2fsck", "tar", "python3"), "judges are missing"))
struct TarFaithTests {
    private static let list = "user::rwx\\nuser:77:r-x\\ngroup::r-x\\nmask::r-x\\nother::---\\n"

    private static func volume(_ directory: TemporaryDirectory, _ name: String = "fs.img") throws -> String {
        let image = try directory.sparse(name, byteCount: 16 << 20)
        try Tool.run("mke2fs", ["-q", "-F"] + EditCommandTests.ext4 + [image])
        return image
    }

    private static func lists(_ image: String, _ path: String) throws -> String {
        try Fixture.diskgraft("xattr", image, path, "--volume", "disk").text
    }

    /// A file that cannot be read on keeps its length in the archive, so that the others stay where they are looked for.
    @Test func aFileThatCannotBeReadOnIsFilledUp() throws {
        let directory = try TemporaryDirectory()
        for (name, count) in [("d/a", 300_000), ("d/b", 10), ("d/c", 20_000)] {
            _ = try directory.write(name, [UInt8](repeating: 0x61, count: count))
        }
        try FileManager.default.linkItem(atPath: directory.path("d/a"), toPath: directory.path("d/z"))
        let image = try directory.sparse("fs.img", byteCount: 16 << 20)
        try Tool.run(
            "mke2fs",
            [
                "-q", "-F", "-t", "ext4", "-O", "^extents,^64bit,^metadata_csum", "-b", "1024", "-d",
                directory.path("d"), image,
            ])
        try Tool.run("debugfs", ["-w", "-R", "sif /a block[8] 0x7fffffff", image])
        let archive = directory.path("a.tar")
        let made = try Tool.run(
            "sh", ["-c", "\"$0\" tar --volume disk \"$1\" / > \"$2\"", Fixture.command, image, archive],
            expect: 1...1)
        #expect(made.errorText.contains("zeros from there on"))
        let listed = try Tool.run(
            "python3",
            [
                "-c",
                """
                import tarfile, sys
                t = tarfile.open(sys.argv[1])
                for m in t:
                    data = t.extractfile(m).read() if m.isreg() else b''
                    print(m.name, m.size, data[:8192] == b'a' * min(8192, m.size), data.count(b'a'), m.linkname)
                """, archive,
            ]
        ).text
        #expect(listed.contains("a 300000 "), "\(listed)")
        #expect(listed.contains("b 10 True 10") && listed.contains("c 20000 True 20000"), "\(listed)")
        #expect(listed.contains("z 0 False 0 a") || listed.contains("z 0 True 0 a"), "\(listed)")
    }

    /// A file by itself keeps its name, as a link does that leads nowhere; a link to a directory is the directory.
    @Test func oneFileByItself() throws {
        let directory = try TemporaryDirectory()
        let image = try directory.sparse("fs.img", byteCount: 4 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-t", "ext4", image])
        let script =
            "mkdir etc\nsymlink resolv.conf ../run/none\nsymlink link etc\ncd etc\nwrite /etc/passwd hostname\n"
        try Tool.run("debugfs", ["-w", "-f", try directory.write("script", script), image])
        func members(_ path: String) throws -> String {
            try Tool.run(
                "sh",
                [
                    "-c", "\"$0\" tar --volume disk \"$1\" \"$2\" | tar -tv | awk '{ print $1, $6, $7, $8 }'",
                    Fixture.command, image, path,
                ]
            ).text
        }
        #expect(try members("/etc/hostname").hasSuffix(" hostname  \n"))
        #expect(try members("/resolv.conf") == "lrwxrwxrwx resolv.conf -> ../run/none\n")
        #expect(try members("/link").contains(" ./hostname") || members("/link").contains(" hostname"))
        let out = directory.path("link")
        try Fixture.diskgraft("get", "--volume", "disk", "--links", "all", image, "/resolv.conf", out)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: out) == "../run/none")
        let missing = try Fixture.diskgraft(
            "tar", "--volume", "disk", image, "/nothing", expect: 2...2)
        #expect(missing.errorText.contains("there is no /nothing"))
    }

    /// Directories get their default lists last, as tar programs do it: what an archive brings inherits nothing from them.
    @Test func membersInheritNothingFromTheArchivesDirectories() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(directory)
        let minimal = "user::rwx\\ngroup::r-x\\nother::r-x\\n"
        let archive = try UntarTests.archive(
            """
            add('d', tarfile.DIRTYPE, mode=0o755, pax={'SCHILY.acl.access': '\(minimal)', 'SCHILY.acl.default': '\(Self.list)'})
            add('d/f', data=b'x')
            add('d/sub', tarfile.DIRTYPE, mode=0o755)
            add('d/sub/g', data=b'y')
            add('e/f', data=b'z')
            """, in: directory)
        try Fixture.diskgraft("untar", image, archive, "--volume", "disk")
        #expect(try Self.lists(image, "/d").contains("posix_acl_default=u::rwx,u:77:r-x"))
        #expect(try !Self.lists(image, "/d").contains("posix_acl_access"))
        for path in ["/d/f", "/d/sub", "/d/sub/g"] { #expect(try Self.lists(image, path) == "", "\(path)") }
        // What was there before hands down, to whatever comes by whatever way.
        try Fixture.diskgraft(
            "xattr", image, "/e", "--set", "system.posix_acl_default=u::rwx,u:5:rwx,g::rx,m::rwx,o::-",
            "--volume", "disk")
        try Fixture.diskgraft("rm", "-r", image, "/d", "--volume", "disk")
        let second = try UntarTests.archive(
            "add('e/new', data=b'1')\nadd('e/d', tarfile.DIRTYPE, pax={'SCHILY.acl.default': '\(Self.list)'})\nadd('e/d/f')",
            in: directory)
        try Fixture.diskgraft("untar", image, second, "--volume", "disk")
        #expect(try Self.lists(image, "/e/new").contains("u:5:"))
        #expect(try Self.lists(image, "/e/d/f").contains("u:5:"))
        #expect(try Self.lists(image, "/e/d").contains("posix_acl_default=u::rwx,u:77:r-x"))
        try Debugfs(image).check()
    }

    /// Equal numbers on two volumes are two files.
    @Test(.enabled(if: Tool.has("sfdisk"))) func aHardLinkToAnotherVolumeIsRefused() throws {
        let directory = try TemporaryDirectory()
        let data = try directory.sparse("data.img", byteCount: 4 << 20)
        let file = try directory.write("contents", "text\n")
        let uuid = "0d15c0de-1111-4222-8333-444455556677"
        try Tool.run("mke2fs", ["-q", "-F", "-U", uuid, data])
        let image = try Fixture.root(
            [
                "etc/os-release": "ID=debian\n", "data/.keep": "",
                "etc/fstab": "UUID=\(uuid) /data ext4 defaults 0 2\n",
            ],
            in: directory)
        try Fixture.diskgraft("put", image, file, "/y", "--with", data)
        // New files have the lowest free numbers, so that one of these has that of /y.
        for index in 0..<40 {
            try Fixture.diskgraft("put", image, file, "/data/\(index)", "--with", data)
            let archive = try UntarTests.archive(
                "add('data/\(index)', tarfile.LNKTYPE, link='y')", in: directory)
            let said = try Fixture.diskgraft("untar", image, archive, "--with", data, expect: 2...2)
            #expect(said.errorText.contains("another volume"))
        }
    }

    @Test(arguments: [
        ("add('a', data=b'12345678' * 64); raw(124, b'\\xff' * 11 + b'\\x00')", "negative size"),
        ("add('a'); raw(136, b'\\x80' + b'\\xff' * 11)", "mtime past all bounds"),
        (
            "t.close(); t = tarfile.open(sys.argv[1], 'w', format=tarfile.PAX_FORMAT, "
                + "pax_headers={'k%d' % i: 'v' * 1000 for i in range(80)}); add('a')",
            "global headers of more than 64 KiB"
        ),
    ])
    func whatNoTarWritesIsDamage(_ body: String, _ says: String) throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(directory)
        let path = directory.path("made.tar")
        let program = """
            import tarfile, io, sys
            t = tarfile.open(sys.argv[1], 'w', format=tarfile.PAX_FORMAT)
            fields = []
            def raw(offset, bytes): fields.append((offset, bytes))
            def add(name, data=b''):
                i = tarfile.TarInfo(name); i.size = len(data)
                t.addfile(i, io.BytesIO(data))
            \(body)
            t.close()
            b = bytearray(open(sys.argv[1], 'rb').read())
            for offset, bytes_ in fields: b[offset:offset + len(bytes_)] = bytes_
            if fields:
                b[148:156] = b' ' * 8
                b[148:156] = b'%06o\\0 ' % sum(b[:512])
                open(sys.argv[1], 'wb').write(b)
            """
        try Tool.run("python3", ["-c", program, path])
        let before = try fileBytes(image)
        let said = try Fixture.diskgraft("untar", image, path, "--volume", "disk", expect: 1...1)
        #expect(said.errorText.contains(says), "\(said.errorText)")
        #expect(try fileBytes(image) == before)
    }

    /// GNU tar has times before 1970 in base 256; of equal names of attributes the last counts.
    @Test func oldTimesAndTheLastOfEqualNames() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(directory)
        let file = try directory.write("tree/old", [1])
        try Tool.run("touch", ["-d", "1955-11-05 06:15:00 UTC", file])
        let archive = directory.path("old.tar")
        try Tool.run("tar", ["--format=gnu", "-cf", archive, "-C", directory.path("tree"), "old"])
        try Fixture.diskgraft("untar", image, archive, "--volume", "disk")
        let stat = try Fixture.diskgraft("stat", image, "/old", "--volume", "disk", "--json").text
        #expect(stat.contains("-446751900000000000"), "\(stat)")
        let second = try UntarTests.archive(
            """
            add('a', pax={'SCHILY.xattr.security.selinux': 'one', 'RHT.security.selinux': 'two', 'SCHILY.xattr.user.n': '1'})
            """, in: directory)
        try Fixture.diskgraft("untar", image, second, "--volume", "disk")
        #expect(try Self.lists(image, "/a").contains("security.selinux=two"))
        try Debugfs(image).check()
    }
}
