import Foundation
import TestSupport
import Testing

/// Archives into a guest: what GNU tar and Python's tarfile make, and what nobody should make.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "e2fsck", "tar", "python3"), "judges are missing"))
struct UntarTests {
    private static let script = """
        mkdir -p a/b "a/$(printf 'd%.0s' $(seq 120))" && printf hello > a/file && ln a/file a/hard
        ln -s ../file a/b/link && ln -s "$(printf 't%.0s' $(seq 150))" a/long-link && mkfifo a/pipe
        printf x > "a/$(printf 'n%.0s' $(seq 180))" && printf y > "a/$(printf 'd%.0s' $(seq 120))/$(printf 'e%.0s' $(seq 90))"
        head -c 100000 /dev/urandom > a/data && : > a/empty && chmod 4711 a/data && chmod 1777 a/b
        touch -d '2020-02-29 12:34:56.789 UTC' a/file a/b
        """

    @Test(arguments: ["pax", "gnu", "ustar"], ["256", "128"])
    func whatTarMakesComesBack(_ format: String, _ inodes: String) throws {
        let directory = try TemporaryDirectory()
        var script = Self.script
        // ustar has no room for the longest names.
        if format == "ustar" {
            for (long, short) in [("180", "90"), ("150", "90"), ("120", "60")] {
                script = script.replacingOccurrences(of: long, with: short)
            }
        }
        try Tool.run("bash", ["-c", script], directory: directory.root)
        let archive = directory.path("a.tar")
        try Tool.run(
            "tar", ["--format=\(format)", "--owner=70000", "--group=12", "-cf", archive, "a"],
            directory: directory.root)
        let image = try directory.sparse("fs.img", byteCount: 16 << 20)
        try Tool.run(
            "mke2fs", ["-q", "-F"] + EditCommandTests.ext4 + ["-I", inodes, image])
        try Fixture.diskgraft("untar", image, archive, "--volume", "disk")
        try Debugfs(image).check()
        let back = directory.path("back.tar")
        try Tool.run(
            "sh", ["-c", "\"$0\" tar \"$1\" / --volume disk > \"$2\"", Fixture.command, image, back])
        let list = """
            import tarfile, sys
            seen = {}
            for m in tarfile.open(sys.argv[1]):
                name = m.name.removeprefix('./')
                if name in ('', '.', 'lost+found'): continue
                kind = b'0' if m.islnk() else m.type
                time = m.mtime if sys.argv[2] == 'ns' else int(m.mtime)
                seen[name] = (kind, oct(m.mode), m.uid, m.gid, time, m.linkname if m.issym() else '')
            for name in sorted(seen): print(name, *seen[name])
            """
        let precision = format == "pax" && inodes == "256" ? "ns" : "s"
        let theirs = try Tool.run("python3", ["-c", list, archive, precision]).text
        let ours = try Tool.run("python3", ["-c", list, back, precision]).text
        #expect(ours == theirs && ours.contains("a/long-link"))
        let out = directory.path("out")
        try Tool.run("mkdir", [out])
        try Tool.run("tar", ["-xf", back, "-C", out, "--no-same-owner"])
        try Tool.run("diff", ["-r", "--no-dereference", "--exclude=pipe", directory.path("a"), out + "/a"])
        // Twice is once.
        try Fixture.diskgraft("untar", image, archive, "--volume", "disk")
        try Debugfs(image).check()
    }

    /// Makes an archive with Python, whose tarfile writes whatever it is told.
    static func archive(_ body: String, in directory: TemporaryDirectory) throws -> String {
        let path = directory.path("made.tar")
        let program = """
            import tarfile, io, sys
            t = tarfile.open(sys.argv[1], 'w', format=tarfile.PAX_FORMAT)
            def add(name, type=tarfile.REGTYPE, data=b'', link='', pax={}, mode=0o644, **more):
                i = tarfile.TarInfo(name); i.type = type; i.size = len(data); i.linkname = link; i.mode = mode
                i.pax_headers = pax
                for k, v in more.items(): setattr(i, k, v)
                t.addfile(i, io.BytesIO(data))
            \(body)
            t.close()
            """
        try Tool.run("python3", ["-c", program, path])
        return path
    }

    private static func volume(in directory: TemporaryDirectory) throws -> String {
        let image = try directory.sparse("fs.img", byteCount: 8 << 20)
        let tree = directory.path("tree")
        try Tool.run(
            "sh",
            [
                "-c",
                "mkdir -p \"$0/usr/lib\" \"$0/etc\" \"$0/full/x\" && ln -s usr/lib \"$0/lib\" && echo s > \"$0/etc/shadow\"",
                tree,
            ])
        try Tool.run("mke2fs", ["-q", "-F", "-d", tree] + EditCommandTests.ext4 + [image])
        return image
    }

    @Test func devicesAttributesAndListsAreKept() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(in: directory)
        let archive = try Self.archive(
            """
            add('dev/null', tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666)
            add('dev/sda', tarfile.BLKTYPE, devmajor=259, devminor=70000)
            add('bin/ping', data=b'#!', pax={'SCHILY.xattr.user.note': 'hi', 'SCHILY.acl.access': 'user::rwx\\nuser:33:r-x\\ngroup::r-x\\nmask::r-x\\nother::---\\n'}, mode=0o750)
            add('lib/mod.ko', data=b'module')
            add('./etc/shadow', data=b'new')
            """, in: directory)
        try Fixture.diskgraft("untar", image, archive, "--volume", "disk")
        let debugfs = Debugfs(image)
        try debugfs.check()
        #expect(try debugfs.run("stat /dev/null").text.contains("01:03"))
        #expect(try debugfs.run("stat /dev/sda").text.contains("259:70000"))
        // The guest's own link to a directory is followed and stays.
        #expect(try debugfs.cat("/usr/lib/mod.ko") == "module")
        #expect(try debugfs.cat("/etc/shadow") == "new")
        let attributes = try Fixture.diskgraft("xattr", image, "/bin/ping", "--volume", "disk").text
        #expect(attributes.contains("user.note=hi"))
        #expect(attributes.contains("u::rwx,u:33:r-x,g::r-x,m::r-x,o::---"))
    }

    /// Whoever wrote it was cut off, where a member ends as well as elsewhere.
    @Test func anArchiveWithoutItsEndIsRefused() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(in: directory)
        let archive = try Self.archive(
            "add('one', data=b'1')\nadd('two', data=b'2')", in: directory)
        let before = try fileBytes(image)
        let bytes = try fileBytes(archive)
        for count in [0, 1024, 2048, 2000, 700] {
            let part = try directory.write("part.tar", Array(bytes.prefix(count)))
            for source in [part, "-"] {
                let result = try Tool.run(
                    "sh",
                    [
                        "-c", "exec \"$0\" untar --volume disk \"$1\" \"$2\" < \"$3\"", Fixture.command,
                        image, source, part,
                    ],
                    expect: 1...1)
                #expect(result.errorText.contains("nothing was written"), "\(count): \(result.errorText)")
            }
        }
        let isUntouched = try fileBytes(image) == before
        #expect(isUntouched)
        // One empty block is an end.
        try Fixture.diskgraft(
            "untar", "--volume", "disk", image, try directory.write("part.tar", Array(bytes.prefix(2560))))
        #expect(try Debugfs(image).cat("/two") == "2")
    }

    @Test func absoluteNamesAreSaid() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(in: directory)
        let archive = try Self.archive(
            "add('etc/a')\nadd('/etc/b', data=b'b')\nadd('/etc/c')\nadd('d', type=tarfile.SYMTYPE, link='/etc')",
            in: directory)
        let said = try Fixture.diskgraft("untar", "--volume", "disk", image, archive, "/full").errorText
        #expect(said.split(separator: "\n").count == 1 && said.contains("/etc/b") && said.contains("/full"))
        #expect(try Debugfs(image).cat("/full/etc/b") == "b")
        let link = try Self.archive(
            "add('etc/a')\nadd('b', type=tarfile.LNKTYPE, link='/etc/a')", in: directory)
        #expect(
            try Fixture.diskgraft("untar", "--volume", "disk", image, link, "/full").errorText.contains(
                "/etc/a"))
        let plain = try Self.archive("add('e')\nadd('d', type=tarfile.SYMTYPE, link='/etc')", in: directory)
        #expect(try Fixture.diskgraft("untar", "--volume", "disk", image, plain).errorText == "")
    }

    /// "." has the attributes of the directory that the archive was made of; GNU tar writes it first.
    @Test func theDestinationGetsTheAttributesOfDot() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(in: directory)
        let debugfs = Debugfs(image)
        for (name, destination) in [(".", "/full"), ("./", "/"), ("././", "/usr")] {
            let archive = try Self.archive(
                """
                add('\(name)', tarfile.DIRTYPE, mode=0o2751, uid=70000, gid=12, mtime=86400 * 365)
                add('./new', data=b'1')
                """, in: directory)
            try Fixture.diskgraft("untar", image, archive, destination, "--volume", "disk")
            let stat = try Fixture.diskgraft("stat", image, destination, "--volume", "disk", "--json").output
            let found = try #require(try JSONSerialization.jsonObject(with: Data(stat)) as? [String: Any])
            #expect(found["mode"] as? String == "0o42751")
            #expect(found["uid"] as? Int == 70_000 && found["gid"] as? Int == 12)
            #expect(found["mtime_ns"] as? Int == 86_400 * 365 * 1_000_000_000)
        }
        try debugfs.check()
    }

    struct Hostile: Sendable, CustomTestStringConvertible {
        let body: String
        let status: Int32
        let says: String
        var testDescription: String { says }
    }

    @Test(arguments: [
        Hostile(body: "add('ok'); add('../../etc/shadow', data=b'x')", status: 2, says: "leads out"),
        Hostile(body: "add('ok'); add('a/../../b')", status: 2, says: "leads out"),
        Hostile(
            body: "add('e', tarfile.SYMTYPE, link='/etc'); add('e/shadow', data=b'x')", status: 2,
            says: "symbolic link that it brought"),
        Hostile(
            body: "add('e', tarfile.SYMTYPE, link='/etc'); add('f', tarfile.LNKTYPE, link='e'); "
                + "add('f/shadow', data=b'x')", status: 2, says: "f, a symbolic link that it brought"),
        Hostile(
            body: "add('usr/lib/e', tarfile.SYMTYPE, link='/etc'); add('lib/e/shadow', data=b'x')", status: 2,
            says: "lib/e, a symbolic link that it brought"),
        Hostile(
            body: "add('usr/lib', tarfile.SYMTYPE, link='/etc'); add('lib/shadow', data=b'x')", status: 2,
            says: "lib, a symbolic link that it brought"),
        Hostile(
            body: "add('h', tarfile.LNKTYPE, link='../etc/shadow')", status: 2, says: "leads out"),
        Hostile(body: "add('h', tarfile.LNKTYPE, link='none')", status: 2, says: "there is no"),
        Hostile(body: "add('full', data=b'x')", status: 2, says: "not empty"),
        Hostile(body: "add('etc/shadow/x')", status: 2, says: "in the way"),
        Hostile(body: "add('x', type=b'Q')", status: 2, says: "type that is not unpacked"),
        Hostile(body: "add('ok'); add('')", status: 2, says: "without a name"),
        Hostile(body: "add('ok'); add('.', data=b'x')", status: 2, says: "would take the place of"),
        Hostile(
            body: "add('ok'); add('/', tarfile.SYMTYPE, link='/etc')", status: 2, says: "is no directory"),
        Hostile(body: "add('n' * 300)", status: 2, says: "is not a name"),
        Hostile(body: "add('x', pax={'mtime': 'soon'})", status: 1, says: "no time"),
        Hostile(body: "add('x', pax={'size': '-7'})", status: 1, says: "no number"),
        Hostile(body: "add('big', data=b'x' * 30000000)", status: 2, says: "full"),
    ])
    func hostileArchivesWriteNothing(_ item: Hostile) throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(in: directory)
        let archive = try Self.archive(item.body, in: directory)
        let before = try fileBytes(image)
        let result = try Fixture.diskgraft(
            "untar", image, archive, "--volume", "disk", expect: item.status...item.status)
        #expect(result.errorText.contains(item.says), "\(result.errorText)")
        let isUntouched = try fileBytes(image) == before
        #expect(isUntouched)
        #expect(!FileManager.default.fileExists(atPath: image + ".undo"))
    }

    @Test func damagedArchivesWriteNothing() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(in: directory)
        let good = try Self.archive("add('a', data=b'x' * 5000)\nadd('b', data=b'y')", in: directory)
        let bytes = try fileBytes(good)
        let before = try fileBytes(image)
        try Tool.run("gzip", ["-k", good])
        var cases: [(path: String, status: Int32, says: String)] = [
            (good + ".gz", 2, "gzip -dc"),
            (try directory.write("short.tar", Array(bytes[0..<3000])), 1, "ends within"),
            (try directory.write("half.tar", Array(bytes[0..<300])), 1, "ends within"),
            (try directory.write("text.tar", [UInt8](repeating: 65, count: 2048)), 1, "no number"),
        ]
        var flipped = bytes
        flipped[3] ^= 1
        cases.append((try directory.write("sum.tar", flipped), 1, "damaged header"))
        // Any bytes at all end in a sentence, never in a trap.
        var random = SeededRandom(7)
        for index in 0..<20 {
            var hurt = bytes
            for _ in 0..<8 {
                hurt[Int.random(in: 0..<hurt.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            let path = try directory.write("fuzz\(index).tar", hurt)
            let copy = directory.path("copy.img")
            try Tool.run("cp", ["--sparse=always", image, copy])
            let result = try Fixture.diskgraft("untar", copy, path, "--volume", "disk", expect: nil)
            #expect([0, 1, 2, 64].contains(result.status), "\(result.errorText)")
            try Debugfs(copy).check()
        }
        for item in cases {
            let result = try Fixture.diskgraft(
                "untar", image, item.path, "--volume", "disk", expect: item.status...item.status)
            #expect(result.errorText.contains(item.says), "\(result.errorText)")
        }
        let isUntouched = try fileBytes(image) == before
        #expect(isUntouched)
    }
}
