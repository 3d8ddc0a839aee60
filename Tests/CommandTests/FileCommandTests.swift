import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "tar"), "judges are missing"))
struct FileCommandTests {
    /// A volume with files of every kind that an ordinary user can make.
    private func volume(in directory: TemporaryDirectory) throws -> (image: String, tree: String) {
        let tree = directory.path("tree")
        try Tool.run(
            "sh",
            [
                "-c",
                """
                mkdir -p "$0/a/b" && cd "$0" && printf hello > a/file && ln a/file a/hard && ln -s ../a/file a/b/link
                mkfifo a/pipe && printf x > "$(printf 'n\\377ame')" && printf long > a/\(String(repeating: "n", count: 150))
                truncate -s 3000000 a/sparse && printf end >> a/sparse && touch -d '2020-02-29 12:34:56.789 UTC' a/file
                """, tree,
            ])
        let image = try directory.sparse("fs.img", byteCount: 32 << 20)
        try Tool.run(
            "mke2fs",
            ["-q", "-F", "-t", "ext4", "-I", "256", "-O", "ext_attr,extent,filetype", "-d", tree, image])
        try Tool.run("debugfs", ["-w", "-R", "ea_set /a/file user.note hello", image])
        return (image, tree)
    }

    @Test func aLinkIsListedByItself() throws {
        let directory = try TemporaryDirectory()
        let image = try directory.sparse("fs.img", byteCount: 4 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-t", "ext4", image])
        for command in ["mkdir real", "write /dev/null real/inside", "symlink link real"] {
            try Tool.run("debugfs", ["-w", "-R", command, image])
        }
        func list(_ arguments: String...) throws -> String {
            try Tool.run(Fixture.command, ["ls", image, "--volume", "disk"] + arguments).text
        }
        #expect(try list("-l", "/link").hasSuffix(" /link -> real\n"))
        #expect(try list("-l", "/link/").hasSuffix(" inside\n"))
        #expect(try list("/link") == "inside\n")
    }

    @Test func tarAndGetGiveTheTreeBack() throws {
        let directory = try TemporaryDirectory()
        let (image, tree) = try volume(in: directory)
        let archive = directory.path("a.tar")
        try Tool.run(
            "sh", ["-c", "\"$0\" tar \"$1\" / --volume disk > \"$2\"", Fixture.command, image, archive])
        let out = directory.path("out")
        try Tool.run("mkdir", [out])
        try Tool.run("tar", ["-xf", archive, "-C", out, "--no-same-owner"])
        try Tool.run("diff", ["-r", "--no-dereference", "--exclude=lost+found", "--exclude=pipe", tree, out])
        let listing = try Tool.run("tar", ["-tvf", archive, "--xattrs"]).text
        #expect(listing.contains("link to a/file"))
        #expect(try Tool.run("tar", ["-tvvf", archive, "--xattrs"]).text.contains("user.note"))
        let both = "stat -c '%Y %a %s' \"$0/a/file\" \"$1/a/file\" | uniq | wc -l"
        #expect(try Tool.run("sh", ["-c", both, tree, out]).text == "1\n")

        let got = directory.path("got")
        let result = try Fixture.diskgraft("get", image, "/a", got, "--volume", "disk", expect: 1...1)
        #expect(result.errorText.contains("pipe"))
        try Tool.run("diff", ["-r", "--no-dereference", "--exclude=pipe", tree + "/a", got])
        let blocks = try Tool.run("stat", ["-c", "%b", got + "/sparse"]).text
        #expect((Int(blocks.dropLast()) ?? 9999) < 1000, "holes stay holes")
    }

    @Test func oneFileGoesToStandardOutput() throws {
        let directory = try TemporaryDirectory()
        let (image, _) = try volume(in: directory)
        func get(_ path: String, _ flags: String..., expect: ClosedRange<Int32> = 0...0) throws -> Tool.Result
        {
            try Tool.run(
                Fixture.command, ["get", image, path, "-", "--volume", "disk"] + flags,
                directory: directory.root,
                expect: expect)
        }
        #expect(try get("/a/file", "-p").text == "hello")
        let sparse = try get("/a/sparse").output
        #expect(sparse.count == 3_000_003 && sparse.suffix(3).elementsEqual("end".utf8))
        #expect(try get("/a", expect: 2...2).errorText.contains("/a is a directory, not a regular file"))
        #expect(try get("/a/pipe", expect: 2...2).errorText.contains("is a FIFO, not a regular file"))
        #expect(!FileManager.default.fileExists(atPath: directory.path("-")))
    }

    @Test func kindsOfFilesAreNamedInWords() throws {
        let directory = try TemporaryDirectory()
        let (image, tree) = try volume(in: directory)
        try Tool.run("debugfs", ["-w", "-R", "mknod device c 5 1", image])
        try Tool.run("debugfs", ["-w", "-R", "symlink gone /nowhere", image])
        let link = try Fixture.diskgraft("cat", image, "/gone", "--volume", "disk", expect: 2...2)
        #expect(link.errorText.contains("/gone is a symbolic link that leads nowhere"))
        let device = try Fixture.diskgraft("cat", image, "/device", "--volume", "disk", expect: 2...2)
        #expect(device.errorText.contains("/device is a character device, not a regular file"))
        let folder = try Fixture.diskgraft("put", image, tree, "/a/new", "--volume", "disk", expect: 2...2)
        #expect(folder.errorText.contains("is a directory; put -r puts a directory"))
        #expect(!folder.errorText.contains("disk image"))
    }

    @Test func findStatAndJSONLines() throws {
        let directory = try TemporaryDirectory()
        let (image, _) = try volume(in: directory)
        #expect(try Fixture.diskgraft("find", image, "/a/b", "--volume", "disk").text == "/a/b\n/a/b/link\n")
        #expect(
            try Fixture.diskgraft("find", image, "--volume", "disk", "--name", "hard").text == "/a/hard\n")
        for (pattern, found) in [
            ("h*", "/a/hard\n"), ("[g-i]?rd", "/a/hard\n"), ("h\\*", ""), ("ar", ""), ("*k", "/a/b/link\n"),
        ] {
            #expect(
                try Fixture.diskgraft("find", image, "/a", "--volume", "disk", "--name", pattern).text
                    == found)
        }
        let stat = try Fixture.diskgraft("stat", image, "/a/file", "--volume", "disk").text
        #expect(stat.contains("2020-02-29 12:34:56") && stat.contains("user.note"))
        let lines = try Fixture.diskgraft("ls", "-R", "--json", "--hash", "sha256", image, "--volume", "disk")
            .text
            .split(separator: "\n")
        var paths: Set<String> = []
        for line in lines {
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            if let path = object["path"] as? String { paths.insert(path) }
            if let hex = object["path_hex"] as? String { #expect(hex == "2f6eff616d65") }
            if object["path"] as? String == "/a/file" {
                #expect(
                    object["sha256"] as? String
                        == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
                #expect(object["links"] as? Int == 2)
                #expect((object["xattrs"] as? [String: String]) == ["user.note": "68656c6c6f"])
            }
        }
        #expect(paths.isSuperset(of: ["/", "/a", "/a/hard", "/a/b/link", "/a/pipe"]))
    }

    @Test func checkFindsDamageInEachLayer() throws {
        let directory = try TemporaryDirectory()
        let guest = try Fixture.guest(in: directory)
        try Fixture.diskgraft("check", guest)
        let hurt = directory.path("hurt.img")
        try Tool.run("cp", ["--sparse=always", guest, hurt])
        try Tool.run(
            "debugfs", ["-w", "-R", "sif /etc/fstab links_count 7", "\(hurt)?offset=\(Fixture.rootOffset)"])
        let found = try Fixture.diskgraft("check", hurt, expect: 2...2)
        #expect(found.text.contains("p3") && found.text.contains("ext4"))
    }

    @Test(.enabled(if: Tool.has("sgdisk"), "sgdisk is not installed"))
    func checkRepairsAGPTAndUndoTakesItBack() throws {
        let directory = try TemporaryDirectory()
        let image = try directory.sparse("gpt.img", byteCount: 16 << 20)
        try Tool.run("sgdisk", ["-n", "1:2048:4095", image])
        // The disk grows: the backup is no longer at its end.
        try Tool.run("truncate", ["-s", "24M", image])
        let before = try fileBytes(image)
        #expect(try Fixture.diskgraft("check", image, expect: 2...2).text.contains("backup"))
        #expect(try fileBytes(image) == before)
        #expect(try Fixture.diskgraft("check", "--repair", "gpt", image).text.contains("repaired"))
        try Fixture.diskgraft("check", image)
        #expect(try Tool.run("sgdisk", ["-v", image]).text.contains("No problems found"))
        try Fixture.diskgraft("undo", image)
        #expect(try fileBytes(image) == before)
    }

    @Test func mapIsQemuImgsAndCompareExitsAsSaid() throws {
        let directory = try TemporaryDirectory()
        let guest = try Fixture.guest(in: directory)
        let image = directory.path("g.qcow2")
        try Tool.run("qemu-img", ["convert", "-O", "qcow2", guest, image])
        func runs(_ text: String) throws -> [[String: AnyHashable]] {
            let parsed =
                try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: AnyHashable]] ?? []
            return parsed.map { entry in
                entry.filter {
                    ["start", "length", "depth", "present", "zero", "data", "offset"].contains($0.key)
                }
            }
        }
        let ours = try runs(try Fixture.diskgraft("map", "--json", image).text)
        let theirs = try runs(try Tool.run("qemu-img", ["map", "--output=json", image]).text)
        #expect(ours == theirs && !ours.isEmpty)
        try Fixture.diskgraft("compare", guest, image)
        try Tool.run("qemu-io", ["-f", "qcow2", "-c", "write -P 9 5M 1k", image])
        #expect(try Fixture.diskgraft("compare", guest, image, expect: 1...1).text.contains("5242880"))
        try Fixture.diskgraft("compare", guest, directory.path("none"), expect: 2...2)
        // A longer one is the same where its rest is zeros.
        let short = try directory.write("short", [UInt8](repeating: 3, count: 4096))
        let zeros = try directory.write("zeros", try fileBytes(short) + [UInt8](repeating: 0, count: 4096))
        let more = try directory.write(
            "more", try fileBytes(zeros) + [UInt8](repeating: 0, count: 511) + [1])
        for (first, second, status) in [
            (short, zeros, Int32(0)), (zeros, short, 0), (short, more, 1), (more, short, 1),
        ] {
            try Fixture.diskgraft("compare", first, second, expect: status...status)
        }
        try Fixture.diskgraft("compare", "-s", short, zeros, expect: 1...1)
    }
}
