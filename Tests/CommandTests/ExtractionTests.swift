import Foundation
import Storage
import TestSupport
import Testing

/// Images that try to write where they should not.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs", "python3", "find", "sh"), "judges are missing"))
struct ExtractionTests {
    private static let features = ["-b", "1024", "-O", "^metadata_csum,^dir_index", "-t", "ext4"]

    /// A volume of a host's tree whose names are then changed in its directories' blocks: each that begins with
    /// "ZZ" and is as long as a hostile one becomes that. No checksum is in the way.
    private static func volume(
        of tree: String, names: [String: [UInt8]], in directory: TemporaryDirectory
    ) throws -> String {
        let image = try directory.sparse("fs.img", byteCount: 4 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-d", tree] + features + [image])
        var bytes = try fileBytes(image)
        for (placeholder, name) in names {
            let old = Array(placeholder.utf8)
            var position = 8
            while position + old.count <= bytes.count {
                defer { position += 1 }
                guard bytes[position] == old[0], bytes[position...].starts(with: old),
                    Int(bytes[position - 2]) == old.count
                else { continue }
                bytes.replaceSubrange(position..<position + name.count, with: name)
                bytes[position - 2] = UInt8(name.count)
            }
        }
        try Data(bytes).write(to: URL(fileURLWithPath: image))
        return image
    }

    /// Everything in `root` but below `destination`: types, sizes, modes, times, contents' checksums.
    private static func state(of root: String, but destination: String) throws -> String {
        try Tool.run(
            "sh",
            [
                "-c",
                """
                cd "$0" && find . -path "$1" -prune -o -path ./a/b -printf '%p %y %m\\n' -o \
                -printf '%p %y %m %s %T@ %C@ %l\\n' | LC_ALL=C sort && find . -path "$1" -prune -o -type f -exec cksum {} +
                """, root, destination,
            ]
        ).text
    }

    private static let seeds = Array(UInt64(1)...10)

    @Test(arguments: ExtractionVolume.allCases, seeds)
    func nothingIsMadeOutsideTheDestination(_ kind: ExtractionVolume, _ seed: UInt64) throws {
        guard kind.isThere else { return }
        var random = SeededRandom(seed)
        let directory = try TemporaryDirectory()
        let tree = directory.path("tree")
        let targets = [
            "\(directory.root)/watched/outside", "/etc/passwd", "../../outside", "..", ".", "../..",
            "../../../..",
            "s0", "s1/s0", "s1/../../..", "./s2", "f0", "../../../outside/canary", "d0/../../../outside",
        ]
        let hostile: [[UInt8]] =
            [
                "../../evil", "dd/escaped", "/tmp/absol", "..", ".", "s0/evil", "s1/canary", "d0/f0",
                "../canary",
            ]
            .map { Array($0.utf8) } + [[65, 0, 66], Array("s0".utf8), Array("d0".utf8), Array("f0".utf8)]
            // Names that are one where case is folded.
            + (kind.isFAT ? [Array("F0".utf8), Array("D0".utf8), Array("s0.".utf8)] : [])
        var names: [String: [UInt8]] = [:]
        var script = "mkdir -p \"$0/top\"\ncd \"$0/top\"\n"
        var folders = ["."]
        for index in 0..<Int.random(in: 8...40, using: &random) {
            let folder = folders.randomElement(using: &random) ?? "."
            var name =
                "\(["f", "s", "d"].randomElement(using: &random) ?? "f")\(Int.random(in: 0...2, using: &random))"
            if Int.random(in: 0...5, using: &random) == 0, let evil = hostile.randomElement(using: &random) {
                name = kind.placeholder(index, for: evil)
                names[name] = evil
            }
            let path = "\(folder)/\(name)"
            switch Int.random(in: 0...3, using: &random) {
            case 0:
                script += "[ -e \(path) -o -L \(path) ] || printf x\(index) > \(path)\n"
            case 1 where !kind.isFAT:
                let target = targets.randomElement(using: &random) ?? "."
                script += "[ -e \(path) -o -L \(path) ] || ln -s '\(target)' \(path)\n"
            case 2: script += "[ -e \(path) -o -L \(path) ] || { printf s > \(path); chmod 6755 \(path); }\n"
            default:
                script += "[ -e \(path) -o -L \(path) ] || mkdir \(path)\n"
                if !name.hasPrefix("s") { folders.append(path) }
            }
        }
        // Names are reused for other types: a path may lead through a file by now, and that is fine.
        try Tool.run("sh", ["-c", "(\(script)) 2>/dev/null; :", tree])
        let image =
            kind == .ext4
            ? try Self.volume(of: tree, names: names, in: directory)
            : try kind.volume(of: tree, names: names, in: directory)
        let watched = directory.path("watched")
        for links in ["inside", "all", "none"] {
            try Tool.run(
                "sh",
                [
                    "-c",
                    """
                    chmod -R u+rwx "$0" 2>/dev/null; rm -rf "$0"; mkdir -p "$0/a/b" "$0/outside"; echo canary > "$0/outside/canary"
                    echo canary > "$0/canary"; echo canary > "$0/a/canary"; echo canary > "$0/a/b/canary"
                    """, watched,
                ])
            let before = try Self.state(of: watched, but: "./a/b/dest")
            let result = try Fixture.diskgraft(
                "get", image, "/top", "a/b/dest", "--volume", "disk", "--links", links, "--set-id",
                expect: 0...2,
                directory: watched)
            #expect(try Self.state(of: watched, but: "./a/b/dest") == before)
            if links == "inside" {
                let resolved = try Tool.run(
                    "sh",
                    [
                        "-c", "cd \"$0/a/b\" && find dest -type l -exec realpath -m --relative-to=dest {} +",
                        watched,
                    ]
                ).text
                #expect(!resolved.split(separator: "\n").contains { $0.hasPrefix("..") }, "\(resolved)")
            }
            if kind == .ext4, !names.isEmpty, result.status == 0 {
                // Then the hostile names were below something that was replaced in the making of the tree.
                let listing = try Tool.run("debugfs", ["-R", "ls -R /top", image], expect: nil).output
                let isThere = hostile.contains { name in
                    listing.indices.contains { listing[$0...].starts(with: name) && name.contains(47) }
                }
                #expect(!isThere)
            }
        }
        let archive = directory.path("a.tar")
        try Tool.run(
            "sh", ["-c", "\"$0\" tar \"$1\" /top --volume disk > \"$2\"", Fixture.command, image, archive],
            expect: 0...2)
        try Tool.run(
            "python3",
            [
                "-c",
                """
                import sys, tarfile
                made = {}
                try:
                    for m in tarfile.open(sys.argv[1]):
                        name = m.name.removeprefix('./')
                        parts = name.split('/')
                        assert not name.startswith('/') and '..' not in parts and '' not in parts, name
                        assert name not in made, 'twice: ' + name
                        for i in range(1, len(parts)):
                            above = '/'.join(parts[:i])
                            assert made.get(above) == tarfile.DIRTYPE, 'below no directory: ' + name
                        if m.islnk(): assert made.get(m.linkname.removeprefix('./')) not in (None, tarfile.SYMTYPE), name
                        made[name] = m.type
                except tarfile.ReadError: pass
                """, archive,
            ])
        for command in ["find", "ls"] {
            let arguments = [command, image, "/top", "--volume", "disk"] + (command == "ls" ? ["-R"] : [])
            let lines = try Tool.run(Fixture.command, arguments, expect: 0...2).text.split(separator: "\n")
            #expect(
                !lines.contains { line in
                    line.split(separator: "/", omittingEmptySubsequences: false).dropFirst().contains {
                        ["", ".", ".."].contains($0)
                    }
                })
            #expect(Set(lines).count == lines.count)
        }
    }

    /// The two that were found first.
    @Test func namesWithSlashesAreRefusedByEveryReader() throws {
        let directory = try TemporaryDirectory()
        let tree = directory.path("tree")
        try Tool.run(
            "sh",
            [
                "-c", "mkdir -p \"$0/top/sub\"; echo x > \"$0/top/ZZZZZZZZZZ\"; echo y > \"$0/top/plain\"",
                tree,
            ])
        for name in ["../../evil", "dd/escaped", "..", "."] {
            let image = try Self.volume(of: tree, names: ["ZZZZZZZZZZ": Array(name.utf8)], in: directory)
            for command in [["ls"], ["ls", "-R"], ["find"], ["tar"]] {
                let result = try Tool.run(
                    Fixture.command, command + [image, "/top", "--volume", "disk"], expect: 1...1)
                #expect(result.errorText.contains("which no path can have"))
                #expect(!result.text.contains(name + "\n") || name.count < 3)
            }
            let sandbox = directory.path("sandbox-\(name.count)")
            try Tool.run("mkdir", ["-p", sandbox + "/a/b"])
            try Fixture.diskgraft(
                "get", image, "/top", "a/b/dest", "--volume", "disk", expect: 1...1, directory: sandbox)
            let made = try Tool.run("find", [".", "-type", "f"], directory: sandbox).text
            #expect(made.isEmpty)
            try Fixture.diskgraft("rm", "-r", image, "/top", "--volume", "disk", expect: 1...1)
            try Fixture.diskgraft("chmod", "-R", image, "700", "/top", "--volume", "disk", expect: 1...1)
            try Fixture.diskgraft("check", image, expect: 2...2)
            // What else is there can be had by its name.
            #expect(try Fixture.diskgraft("cat", image, "/top/plain", "--volume", "disk").text == "y\n")
        }
    }

    @Test func aNameThatIsThereTwiceIsRefused() throws {
        let directory = try TemporaryDirectory()
        let tree = directory.path("tree")
        try Tool.run(
            "sh",
            [
                "-c",
                "mkdir -p \"$0/top/ZZZZ\"; echo x > \"$0/top/ZZZZ/escaped\"; ln -s ../../outside \"$0/top/dd\"",
                tree,
            ])
        let image = try Self.volume(of: tree, names: ["ZZZZ": Array("dd".utf8)], in: directory)
        for command in [["ls"], ["find"], ["tar"]] {
            let result = try Tool.run(
                Fixture.command, command + [image, "/top", "--volume", "disk"], expect: 1...1)
            #expect(result.errorText.contains("twice"))
        }
        try Tool.run("mkdir", ["-p", directory.path("a/b"), directory.path("outside")])
        try Fixture.diskgraft(
            "get", image, "/top", "a/b/dest", "--volume", "disk", "--links", "all", expect: 1...1,
            directory: directory.root)
        #expect(try Tool.run("find", [directory.path("outside"), "-type", "f"]).text.isEmpty)
    }

    /// 2^24 paths in a volume of a few blocks.
    @Test func directoriesWithTwoNamesAreWalkedOnce() throws {
        let directory = try TemporaryDirectory()
        let image = try directory.sparse("fs.img", byteCount: 4 << 20)
        try Tool.run("mke2fs", ["-q", "-F"] + Self.features + [image])
        var commands = "mkdir /top\ncd /top\n"
        for _ in 0..<24 { commands += "mkdir a\nlink a b\ncd a\n" }
        try Tool.run("debugfs", ["-w", "-f", try directory.write("commands", commands), image])
        let result = try Fixture.diskgraft("find", image, "/top", "--volume", "disk", expect: 1...1)
        #expect(result.text.split(separator: "\n").count < 100)
        #expect(result.errorText.contains("second name"))
    }

    @Test func linksSetIDAndDevicesOnlyWhereAsked() throws {
        let directory = try TemporaryDirectory()
        let image = try directory.sparse("fs.img", byteCount: 4 << 20)
        try Tool.run("mke2fs", ["-q", "-F"] + Self.features + [image])
        let commands = """
            mkdir /top
            mkdir /top/sub
            symlink /top/absolute /etc/passwd
            symlink /top/sub/out ../../x
            symlink /top/sub/in ../sub/./file
            symlink /top/sub/odd link/../../x
            """
        try Tool.run("debugfs", ["-w", "-f", try directory.write("commands", commands), image])
        let source = try directory.write("file", "x")
        try Fixture.diskgraft("put", image, source, "/top/sub/file", "--volume", "disk")
        try Fixture.diskgraft("mknod", "-m", "640", image, "/top/pipe", "p", "--volume", "disk")
        try Fixture.diskgraft("chmod", image, "6755", "/top/sub/file", "--volume", "disk")
        try Fixture.diskgraft("chmod", image, "1777", "/top/sub", "--volume", "disk")
        func got(_ options: String..., expect: Int32) throws -> (list: String, said: String) {
            let target = directory.path("out-" + options.joined())
            let arguments = ["get", image, "/top", target, "--volume", "disk"] + options
            let result = try Tool.run(Fixture.command, arguments, expect: expect...expect)
            let list = try Tool.run(
                "sh",
                ["-c", "cd \"$0\" && find . -mindepth 1 -printf '%P %y %m %l\\n' | LC_ALL=C sort", target]
            ).text.replacingOccurrences(of: " l 777 ", with: " l ")
            return (list, result.errorText)
        }
        let usual = try got(expect: 1)
        #expect(usual.list == "sub d 1777 \nsub/file f 755 \nsub/in l ../sub/./file\n")
        for name in ["absolute", "out", "odd", "pipe", "file"] { #expect(usual.said.contains("/\(name)")) }
        let all = try got("--links", "all", "--set-id", "--devices", expect: 0)
        #expect(
            all.list == """
                absolute l /etc/passwd
                pipe p 640 
                sub d 1777 
                sub/file f 6755 
                sub/in l ../sub/./file
                sub/odd l link/../../x
                sub/out l ../../x

                """)
        #expect(try got("--links", "none", expect: 1).list == "sub d 1777 \nsub/file f 755 \n")
        try Fixture.diskgraft("get", image, "/top", "--links", "some", "--volume", "disk", expect: 64...64)
    }

    /// More levels than a process may open directories, the deepest closed to everybody.
    @Test func deepTreesAndClosedDirectories() throws {
        let directory = try TemporaryDirectory()
        let image = try directory.sparse("fs.img", byteCount: 8 << 20)
        try Tool.run("mke2fs", ["-q", "-F", "-N", "2000"] + Self.features + [image])
        var commands = "mkdir /top\ncd /top\n"
        for _ in 0..<600 { commands += "mkdir d\ncd d\n" }
        try Tool.run("debugfs", ["-w", "-f", try directory.write("commands", commands), image])
        try Fixture.diskgraft("chmod", image, "555", "/top/d/d", "--volume", "disk")
        let target = directory.path("out")
        try Tool.run(
            "sh",
            [
                "-c", "ulimit -n 128 && exec \"$0\" get \"$1\" /top \"$2\" --volume disk", Fixture.command,
                image, target,
            ])
        let made = try Tool.run("sh", ["-c", "find \"$0\" -type d | wc -l; stat -c %a \"$0/d/d\"", target])
            .text
        #expect(made == "601\n555\n")
        try Tool.run("chmod", ["-R", "u+w", target])
    }
}
