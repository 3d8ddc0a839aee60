import Foundation
import TestSupport
import Testing

/// `put -r`: a directory of the host into the guest, judged by what `get` brings back, e2fsck and debugfs.
@Suite(.enabled(if: Tool.has("mke2fs", "e2fsck", "debugfs", "mkfifo"), "judges are missing"))
struct PutTreeTests {
    private func volume(in directory: TemporaryDirectory) throws -> String {
        let image = try directory.sparse("fs.img", byteCount: 32 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-t", "ext4", image])
        try Tool.run("debugfs", ["-w", "-R", "mkdir srv", image])
        return image
    }

    private func tree(in directory: TemporaryDirectory, _ commands: String) throws -> String {
        let tree = directory.path("tree")
        try Tool.run("bash", ["-ec", "mkdir \"$0\" && cd \"$0\"\n\(commands)", tree])
        return tree
    }

    private func put(_ image: String, _ tree: String, _ path: String, expect: ClosedRange<Int32> = 0...0)
        throws
        -> Tool.Result
    {
        try Fixture.diskgraft("put", "-r", image, tree, path, "--volume", "disk", expect: expect)
    }

    @Test func everythingThatHasContents() throws {
        let directory = try TemporaryDirectory()
        let image = try volume(in: directory)
        let before = try fileBytes(image)
        let tree = try tree(
            in: directory,
            """
            mkdir -p a/b empty; echo one >a/one; echo two >a/b/two; chmod 600 a/one; chmod 750 a
            ln -s one a/link; ln -s /nowhere a/gone; ln -s ../a a/b/up; echo x >"$(printf 'n\\377ame')"
            truncate -s 3000000 sparse; echo end >>sparse
            """)
        for round in 1...2 {
            // Into what is there, under its own name; then over what was put before.
            _ = try put(image, tree, "/srv")
            let out = directory.path("out\(round)")
            try Fixture.diskgraft("get", image, "/srv/tree", out, "--volume", "disk", "--links", "all")
            try Tool.run("diff", ["-r", "--no-dereference", tree, out])
            let modes = "cd \"$0\" && find . ! -type l -printf '%m %p\\n' | sort"
            #expect(try Tool.run("sh", ["-c", modes, tree]).text == Tool.run("sh", ["-c", modes, out]).text)
            try Tool.run("e2fsck", ["-fn", image])
        }
        let blocks = try Tool.run("debugfs", ["-R", "stat /srv/tree/sparse", image]).text
        let count = blocks.split(separator: "Blockcount: ").last?.prefix { $0.isNumber }
        #expect(count.flatMap { Int($0) }.map { $0 <= 16 } == true, "holes stay holes: \(blocks)")
        // As a name that is not there, and the contents of a directory into another.
        _ = try put(image, tree, "/new")
        #expect(try Fixture.diskgraft("cat", image, "/new/a/b/two", "--volume", "disk").text == "two\n")
        _ = try put(image, tree + "/a/.", "/srv")
        #expect(try Fixture.diskgraft("cat", image, "/srv/b/two", "--volume", "disk").text == "two\n")
        for _ in 1...4 { try Fixture.diskgraft("undo", image) }
        #expect(try fileBytes(image) == before)
    }

    /// What could keep the command waiting, or is no file's contents, is left out, and nothing is read through a link.
    @Test func whatIsLeftOut() throws {
        let directory = try TemporaryDirectory()
        let image = try volume(in: directory)
        let secret = try directory.write("secret", "secret")
        let tree = try tree(
            in: directory, "mkfifo pipe; ln -s '\(secret)' link; ln -s '\(directory.root)' up; echo 1 >one")
        let said = try put(image, tree, "/srv", expect: 1...1)
        #expect(said.errorText.contains("tree/pipe: is a device, FIFO or socket, and is left out"))
        let names = try Fixture.diskgraft("ls", "-l", image, "/srv/tree", "--volume", "disk").text
        #expect(names.contains("link -> \(secret)") && names.contains("up -> \(directory.root)"))
        #expect(!names.contains("pipe"))
        #expect(try Tool.run("debugfs", ["-R", "dump /srv/tree/one /dev/stdout", image]).text == "1\n")
    }

    /// A link does not take a directory's place, nor a directory a file's; nothing is changed then.
    @Test func whatIsInTheWay() throws {
        let directory = try TemporaryDirectory()
        let image = try volume(in: directory)
        try Tool.run("debugfs", ["-w", "-R", "mkdir srv/tree", image])
        try Tool.run("debugfs", ["-w", "-R", "mkdir srv/tree/link", image])
        try Tool.run("debugfs", ["-w", "-R", "write /etc/hostname srv/tree/b", image])
        let before = try fileBytes(image)
        let tree = try tree(in: directory, "echo 1 >a; ln -s a link")
        #expect(
            try put(image, tree, "/srv", expect: 2...2).errorText.contains("would become a symbolic link"))
        try Tool.run("sh", ["-c", "rm \"$0/link\"; mkdir \"$0/b\"", tree])
        #expect(try put(image, tree, "/srv", expect: 2...2).errorText.contains("/srv/tree/b"))
        #expect(try fileBytes(image) == before)
        try Fixture.diskgraft("put", "-r", "-m", "600", image, tree, "/srv", expect: 64...64)
    }

    /// A directory is open at a time, however deep they lie.
    @Test func deepTrees() throws {
        let directory = try TemporaryDirectory()
        let image = try volume(in: directory)
        let path = [String](repeating: "d", count: 300).joined(separator: "/")
        let tree = try tree(in: directory, "mkdir -p \(path); echo deep >\(path)/file")
        try Tool.run(
            "bash",
            [
                "-c", "ulimit -n 40; exec \"$0\" put -r \"$1\" \"$2\" /srv --volume disk", Fixture.command,
                image, tree,
            ])
        let text = try Fixture.diskgraft("cat", image, "/srv/tree/\(path)/file", "--volume", "disk").text
        #expect(text == "deep\n")
        try Tool.run("e2fsck", ["-fn", image])
    }
}
