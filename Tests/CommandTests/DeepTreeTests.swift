import Foundation
import TestSupport
import Testing

/// Directories within directories, deeper than a path of one call names and than a stack of calls would bear.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "e2fsck", "tar"), "judges are missing"))
struct DeepTreeTests {
    private static let depth = 5000

    /// An image with `/d/d/…`, 5,000 levels.
    private func image(in directory: TemporaryDirectory) throws -> String {
        let image = try directory.sparse("deep.img", byteCount: 64 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-t", "ext4", "-N", "12000", image])
        let script = String(repeating: "mkdir d\ncd d\n", count: Self.depth)
        try Tool.run("debugfs", ["-w", "-f", "-", image], input: script)
        return image
    }

    @Test func everyCommandWalksIt() throws {
        let directory = try TemporaryDirectory()
        let image = try image(in: directory)
        let bottom = String(repeating: "/d", count: Self.depth)
        func run(_ arguments: String...) throws -> Tool.Result {
            try Tool.run(Fixture.command, [arguments[0], "--volume", "disk", image] + arguments.dropFirst())
        }
        for command in [["ls", "-R"], ["find"]] {
            let lines = try Tool.run(
                Fixture.command, [command[0], "--volume", "disk"] + command.dropFirst() + [image, "/d"]
            ).text.split(separator: "\n")
            #expect(lines.count == Self.depth && lines.last.map(String.init) == bottom, "\(command)")
        }
        #expect(try run("stat", bottom).text.contains("directory"))
        let source = try directory.write("src", "deep\n")
        _ = try run("put", source, bottom + "/file")
        #expect(try run("cat", bottom + "/file").text == "deep\n")
        let archive = directory.path("deep.tar")
        try Tool.run(
            "sh", ["-c", "\"$0\" tar --volume disk \"$1\" /d > \"$2\"", Fixture.command, image, archive])
        #expect(try Tool.run("tar", ["-tf", archive]).text.split(separator: "\n").count == Self.depth + 1)
        try Tool.run(Fixture.command, ["chmod", "-R", "--volume", "disk", image, "700", "/d"])
        #expect(try run("stat", bottom).text.contains("700 drwx------"))
        try Tool.run(Fixture.command, ["chown", "-R", "--volume", "disk", image, "7:8", "/d"])
        #expect(try run("stat", bottom).text.contains("7:8"))
        try Debugfs(image).check()
        try Fixture.diskgraft("check", image)
        try Tool.run(Fixture.command, ["rm", "-r", "--volume", "disk", image, "/d"])
        try Debugfs(image).check()
        #expect(try run("find", "/").text == "/\n/lost+found\n")
    }

    /// One path that makes it: each directory from the one above, links and ".." on the way followed.
    @Test func makingAPath() throws {
        let directory = try TemporaryDirectory()
        let image = try directory.sparse("fs.img", byteCount: 64 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-t", "ext4", "-N", "8000", image])
        let deep = String(repeating: "/d", count: 3000)
        func make(_ path: String, expect: ClosedRange<Int32> = 0...0) throws -> String {
            try Tool.run(
                Fixture.command, ["mkdir", "-p", "--volume", "disk", image, path], expect: expect
            ).errorText
        }
        _ = try make(deep)
        _ = try make(deep)
        try Debugfs(image).check()
        let found = try Fixture.diskgraft("find", image, "/d", "--volume", "disk").text
        #expect(found.split(separator: "\n").count == 3000)
        try Fixture.diskgraft("ln", "-s", "--volume", "disk", image, "/d/d", "/link")
        try Fixture.diskgraft("ln", "-s", "--volume", "disk", image, "nowhere", "/dangling")
        _ = try EditCommandTests.feed("x", "put", "--volume", "disk", image, "-", "/file")
        _ = try make("/link/../new/./a/../b/.")
        let names = try Fixture.diskgraft("find", image, "/d/new", "--volume", "disk").text
        #expect(names == "/d/new\n/d/new/a\n/d/new/b\n")
        #expect(try make("/file/x", expect: 2...2).contains("no directory"))
        #expect(try make("/dangling/x", expect: 2...2).contains("there already"))
        try Debugfs(image).check()
        for _ in 0..<5 { try Fixture.diskgraft("undo", image) }
        try Debugfs(image).check()
        #expect(try Fixture.diskgraft("ls", image, "/", "--volume", "disk").text == "lost+found\n")
    }

    /// Back from an archive, whose members follow each other or do not.
    @Test(arguments: [false, true])
    func untarMakesIt(_ isBackwards: Bool) throws {
        let directory = try TemporaryDirectory()
        let image = try directory.sparse("fs.img", byteCount: 32 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-t", "ext4", "-N", "4000", image])
        let archive = directory.path("deep.tar")
        let depth = isBackwards ? 150 : 1500
        let script = """
            import io, tarfile, sys
            t = tarfile.open(sys.argv[1], 'w', format=tarfile.PAX_FORMAT)
            levels = range(1, \(depth) + 1)
            for level in reversed(levels) if \(isBackwards ? 1 : 0) else levels:
                d = tarfile.TarInfo('/'.join(['level'] * level)); d.type = tarfile.DIRTYPE; d.mode = 0o750
                t.addfile(d)
            f = tarfile.TarInfo('level/' * \(depth) + 'file'); f.size = 5
            t.addfile(f, io.BytesIO(b'deep\\n'))
            t.close()
            """
        try Tool.run("python3", ["-c", script, archive])
        try Fixture.diskgraft("untar", image, archive, "/", "--volume", "disk")
        try Debugfs(image).check()
        let bottom = String(repeating: "/level", count: depth)
        #expect(try Fixture.diskgraft("cat", image, bottom + "/file", "--volume", "disk").text == "deep\n")
        let stat = try Fixture.diskgraft("stat", image, bottom, "--volume", "disk").text
        #expect(stat.contains("750 drwxr-x---"))
    }

    /// A name in an archive of more levels than anybody has is refused with their number, before anything is made.
    @Test func anArchiveOfTooManyLevels() throws {
        let directory = try TemporaryDirectory()
        let image = try directory.sparse("fs.img", byteCount: 8 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-t", "ext4", image])
        let archive = directory.path("deep.tar")
        let script = """
            import tarfile, sys
            t = tarfile.open(sys.argv[1], 'w', format=tarfile.PAX_FORMAT)
            t.addfile(tarfile.TarInfo('a/' * 100000 + 'x'))
            """
        try Tool.run("python3", ["-c", script, archive])
        let before = try fileBytes(image)
        let result = try Tool.run(
            Fixture.command, ["untar", image, archive, "/", "--volume", "disk"], expect: 2...2)
        #expect(result.errorText.contains("100001 levels"), "\(result.errorText)")
        #expect(try fileBytes(image) == before)
    }
}
