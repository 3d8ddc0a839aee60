import Foundation
import TestSupport
import Testing

/// What `get` does not bring: said, and with the status that the help promises.
@Suite(.enabled(if: Tool.has("mke2fs", "stat", "sh"), "tools are missing"))
struct ExtractionLossTests {
    private static func volume(_ script: String, in directory: TemporaryDirectory) throws -> String {
        try EditCommandTests.volume(EditCommandTests.ext4, in: directory, script: script)
    }

    private static func mode(_ path: String) throws -> String {
        try Tool.run("stat", ["-c", "%a", path]).text.trimmingCharacters(in: .newlines)
    }

    private static func get(
        _ image: String, _ path: String, _ more: String..., in directory: TemporaryDirectory, expect: Int32
    ) throws -> String {
        try Tool.run(
            Fixture.command, ["get", "--volume", "disk", image, path, "out"] + more,
            directory: directory.root,
            expect: expect...expect
        ).errorText
    }

    @Test(arguments: [
        ("4755", "set-user-ID"), ("2755", "set-group-ID"), ("1644", "sticky"),
        ("6755", "set-user-ID and set-group-ID"),
    ])
    func specialBitsAreSaid(_ mode: String, _ words: String) throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume("mkdir d && echo x > d/f && chmod \(mode) d/f", in: directory)
        for path in ["/d/f", "/d"] {
            let text = try Self.get(image, path, in: directory, expect: 1)
            #expect(text.contains("/d/f: its \(words) bit"), "\(text)")
            #expect(try Self.mode(directory.path(path == "/d" ? "out/f" : "out")) == String(mode.dropFirst()))
            try Tool.run("rm", ["-rf", directory.path("out")])
            #expect(try Self.get(image, path, "--set-id", in: directory, expect: 0) == "")
            #expect(try Self.mode(directory.path(path == "/d" ? "out/f" : "out")) == mode)
            try Tool.run("rm", ["-rf", directory.path("out")])
        }
    }

    /// Without it, everybody could remove everybody's files.
    @Test func aDirectoryKeepsItsStickyBit() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(
            "mkdir -p d/tmp d/group && chmod 1777 d/tmp && chmod 2775 d/group", in: directory)
        let text = try Self.get(image, "/d", in: directory, expect: 1)
        #expect(text.contains("/d/group: its set-group-ID bit") && !text.contains("/d/tmp"))
        #expect(try Self.mode(directory.path("out/tmp")) == "1777")
        #expect(try Self.mode(directory.path("out/group")) == "775")
    }

    @Test func hardLinksAndAttributesAreCounted() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(
            "mkdir d && echo x > d/a && ln d/a d/b && ln d/a d/c && echo y > d/y && ln d/y elsewhere",
            in: directory)
        #expect(try Self.get(image, "/d/a", in: directory, expect: 0) == "")
        try Tool.run("rm", [directory.path("out")])
        try Fixture.diskgraft("xattr", "--volume", "disk", image, "/d/y", "--set", "user.note=hi")
        for path in ["/d/y", "/d"] {
            try Fixture.diskgraft(
                "xattr", "--volume", "disk", image, path, "--set",
                "system.posix_acl_access=u::rwx,u:33:rwx,g::r-x,o::---")
        }
        let text = try Self.get(image, "/d", in: directory, expect: 0)
        #expect(text.split(separator: "\n").count == 3, "\(text)")
        #expect(text.contains("2 further copies"))
        #expect(text.contains("access control lists were not copied: 2 files have one"))
        #expect(text.contains("extended attributes were not copied: 1 file has some"))
    }

    /// What stands for the group in the mode is the list's mask, which is not for the group alone.
    @Test func theGroupGetsNoMoreThanItsEntry() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume("mkdir d && echo x > d/a && echo x > d/b && echo x > d/c", in: directory)
        for (path, list) in [
            ("/d", "u::rwx,u:33:rwx,g::r-x,m::rwx,o::---"), ("/d/a", "u::rw-,u:33:rw-,g::---,m::rw-,o::r--"),
            ("/d/b", "u::rw-,u:33:rw-,g::rw-,m::r--,o::---"), ("/d/c", "u::rw-,g::r--,o::r--"),
        ] {
            try Fixture.diskgraft(
                "xattr", "--volume", "disk", image, path, "--set", "system.posix_acl_access=\(list)")
        }
        _ = try Self.get(image, "/d", in: directory, expect: 0)
        for (path, mode) in [("out", "750"), ("out/a", "604"), ("out/b", "640"), ("out/c", "644")] {
            #expect(try Self.mode(directory.path(path)) == mode, "\(path)")
        }
    }

    /// A directory that cannot be read is empty on the host, which is said.
    @Test func theRestOfABadDirectoryIsSaid() throws {
        let directory = try TemporaryDirectory()
        let image = try directory.sparse("fs.img", byteCount: 4 << 20)
        try Tool.run(
            "sh", ["-c", "mkdir -p t/d && echo x > t/d/good && echo x > t/d/ZZbadname"],
            directory: directory.root)
        try Tool.run(
            "mke2fs",
            [
                "-q", "-F", "-d", directory.path("t"), "-b", "1024", "-O", "^metadata_csum,^dir_index", "-t",
                "ext4", image,
            ])
        var bytes = try fileBytes(image)
        let name = Array("ZZbadname".utf8)
        for position in bytes.indices
        where bytes[position] == name[0] && bytes[position...].starts(with: name) {
            bytes[position + 3] = UInt8(ascii: "/")
        }
        try Data(bytes).write(to: URL(fileURLWithPath: image))
        let text = try Self.get(image, "/", in: directory, expect: 1)
        #expect(text.contains("what is in /d is left out"), "\(text)")
        #expect(FileManager.default.fileExists(atPath: directory.path("out/d")))
    }

    private static let mountsAsAnybody =
        ((try? Tool.run("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]))?.status ?? 1) == 0

    /// Each further file would fail as the first did.
    @Test(.enabled(if: mountsAsAnybody, "no user namespaces"))
    func aFullHostEndsTheCopying() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.volume(
            "mkdir d && for i in $(seq 10 30); do head -c 100000 /dev/urandom > d/$i; done", in: directory)
        try Tool.run("mkdir", [directory.path("small")])
        let result = try Tool.run(
            "unshare",
            [
                "-rm", "sh", "-c",
                "mount -t tmpfs -o size=512k none small && \"$0\" get --volume disk \"$1\" /d small/out; s=$?; ls small/out | wc -l; exit $s",
                Fixture.command, image,
            ], directory: directory.root, expect: 1...1)
        #expect(result.errorText.split(separator: "\n").count == 1, "\(result.errorText)")
        #expect(result.errorText.contains("No space left on device"))
        #expect((1...6).contains(Int(result.text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0))
    }
}
