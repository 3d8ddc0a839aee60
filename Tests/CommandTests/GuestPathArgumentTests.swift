import TestSupport
import Testing

/// Paths that mean something else than they seem to: an empty one, ".", "..", a slash at the end.
@Suite(.enabled(if: Tool.has("mke2fs"), "mke2fs is missing"))
struct GuestPathArgumentTests {
    private static func volume(in directory: TemporaryDirectory) throws -> String {
        let image = try EditCommandTests.volume(
            EditCommandTests.ext4, in: directory,
            script:
                "mkdir -p d/sub && echo x > d/file && ln -s d link && ln -s d/file soft && ln -s none dead")
        return image
    }

    /// What a shell makes of a variable that is not set.
    @Test func anEmptyPathIsAWrongUse() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(in: directory)
        let before = try fileBytes(image)
        for command in [
            ["ls", image, ""], ["cat", image, ""], ["get", image, ""], ["stat", image, ""],
            ["find", image, ""],
            ["tar", image, ""], ["put", image, image, ""], ["edit", image, ""], ["untar", image, image, ""],
            ["rm", "-r", image, ""], ["rm", image, "/d/file", ""], ["rmdir", image, ""],
            ["mv", image, "", "/d"],
            ["mv", image, "/d", ""], ["ln", image, "", "/x"], ["ln", image, "/d/file", ""],
            ["ln", "-s", image, "", "/x"], ["mkdir", image, ""], ["mkdir", "-p", image, "/d/new", ""],
            ["mknod", image, "", "p"], ["chmod", image, "600", ""], ["chmod", "-R", image, "600", ""],
            ["chown", image, "0", ""], ["xattr", image, ""],
        ] {
            _ = try Tool.run(Fixture.command, command + ["--volume", "disk"], expect: 64...64)
        }
        let isUntouched = try fileBytes(image) == before
        #expect(isUntouched)
    }

    @Test func dotsAreNoNames() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(in: directory)
        let before = try fileBytes(image)
        for path in [".", "..", "/", "/d/.", "/d/..", "/d/sub/../", "/d/./"] {
            for command in [["rm", "-r"], ["rm"], ["rmdir"]] {
                let result = try Tool.run(
                    Fixture.command, command + ["--volume", "disk", image, path], expect: 2...64)
                #expect(result.status == (path == "/" ? 2 : 64), "\(command) \(path)")
            }
            if path != "/" {
                try Fixture.diskgraft("mv", "--volume", "disk", image, path, "/new", expect: 64...64)
            }
        }
        let isUntouched = try fileBytes(image) == before
        #expect(isUntouched)
    }

    /// As rm(1), mv(1) and the others have it: a slash at the end asks for a directory.
    @Test func aSlashAsksForADirectory() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(in: directory)
        let source = try directory.write("new", "new\n")
        let before = try fileBytes(image)
        for command in [
            ["rm", image, "/link/"], ["rm", "-r", image, "/link/"], ["rmdir", image, "/link/"],
            ["rm", "-r", image, "/soft/"], ["rm", image, "/d/file/"], ["rm", image, "/dead/"],
            ["mv", image, "/link/", "/x"], ["mv", image, "/d/file", "/x/"], ["cat", image, "/d/file/"],
            ["stat", image, "/soft/"], ["put", image, source, "/d/file/"], ["put", image, source, "/d/new/"],
            ["chmod", image, "600", "/d/file/"], ["ln", image, "/d/file", "/x/"],
        ] {
            let text = try Tool.run(
                Fixture.command, command + ["--volume", "disk"], expect: 2...2
            ).errorText
            #expect(text.contains("is no directory"), "\(command): \(text)")
        }
        let isUntouched = try fileBytes(image) == before
        #expect(isUntouched)
        #expect(try Fixture.diskgraft("ls", "--volume", "disk", image, "/link/").text == "file\nsub\n")
        #expect(
            try Fixture.diskgraft("stat", "--volume", "disk", image, "/link/").text.contains("directory"))
        try Fixture.diskgraft("mkdir", "--volume", "disk", image, "/made/")
        try Fixture.diskgraft("mv", "--volume", "disk", image, "/made/", "/moved/")
        try Fixture.diskgraft("rm", "-r", "--volume", "disk", image, "/moved/")
        try Fixture.diskgraft("rm", "--volume", "disk", image, "/link")
        try Debugfs(image).check()
    }
}
