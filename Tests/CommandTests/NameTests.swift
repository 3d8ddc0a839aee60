import Foundation
import Storage
import TestSupport
import Testing

/// Names are bytes: every byte that a name can hold, through every command, in the guest and on the host.
@Suite(
    .enabled(if: Tool.has("mke2fs", "debugfs", "e2fsck", "python3", "bash", "qemu-img"), "judges are missing")
)
struct NameTests {
    /// All 253 bytes that a name can hold beside "/", NUL and a dot, some in each, and what is easily taken for
    /// something else.
    static let names: [[UInt8]] = {
        let bytes = (1...255).filter { $0 != 47 && $0 != 46 }.map { UInt8($0) }
        var names = stride(from: 0, to: bytes.count, by: 64).map { start in
            [UInt8(ascii: "n")] + Array(bytes[start..<min(start + 64, bytes.count)])
        }
        names += [[0xfa, 65], [10], Array("\u{fffd}".utf8), Array("-r".utf8)]
        names += [Array("e\u{301}".utf8), Array("\u{301}".utf8), Array("\u{10fe80}".utf8)]
        return names
    }()

    private static let volume = ["--volume", "disk"].map { Array($0.utf8) }

    private static func path(_ directory: String, _ name: [UInt8]) -> [UInt8] {
        Array("\(directory)/".utf8) + name
    }

    @discardableResult
    private static func run(
        _ command: String, _ arguments: [[UInt8]], expect: ClosedRange<Int32> = 0...0, _ directory: String
    ) throws -> Tool.Result {
        try Fixture.diskgraft(
            bytes: [Array(command.utf8)] + volume + arguments, expect: expect, directory: directory)
    }

    private static func empty(_ name: String, in directory: TemporaryDirectory) throws -> String {
        let image = try directory.sparse(name, byteCount: 8 << 20)
        try Tool.run("mke2fs", ["-q", "-F"] + EditCommandTests.ext4 + [image])
        return image
    }

    /// The names in a directory as debugfs has them.
    private static func debugfsHolds(_ image: String, _ directory: String, _ name: [UInt8]) throws -> Bool {
        let output = try Debugfs(image).run("ls -p \(directory)").output
        let wanted = [UInt8(ascii: "/")] + name + [UInt8(ascii: "/")]
        return output.indices.contains { output[$0...].starts(with: wanted) }
    }

    @Test func everyByteThroughEveryCommand() throws {
        let directory = try TemporaryDirectory()
        let root = directory.root
        let image = try Self.empty("fs.img", in: directory)
        let fs = Array("fs.img".utf8)
        let folders = ["/d", "/l", "/s", "/k", "/n"].map { Array($0.utf8) }
        try Self.run("mkdir", [fs] + folders, root)
        // Commands that take many paths.
        let made = Self.names.map { Self.path("/k", $0) }
        try Self.run("mkdir", [fs] + made, root)
        for name in Self.names { #expect(try Self.debugfsHolds(image, "/k", name)) }
        try Self.run("chmod", [fs, Array("711".utf8)] + made, root)
        try Self.run("chown", [fs, Array("7:8".utf8)] + made, root)
        let listed = try Self.run("find", [Array("-0".utf8), fs, Array("/k".utf8)], root).output
        let below = listed.split(separator: 0).dropFirst().map { Array($0) }
        #expect(Set(below) == Set(made))
        try Self.run("rmdir", [fs] + made, root)

        for (index, name) in Self.names.enumerated() {
            let contents = "contents \(index)\n"
            let file = Self.path("/d", name)
            // The host's file has the name too.
            let source = Self.path("host", name)
            try Tool.run(
                "bash", ["-c", "mkdir -p host out && printf %s \"$0\" > \(source.shellText)", contents],
                directory: root)
            try Self.run("put", [fs, source, Array("/d".utf8)], root)
            #expect(try Self.debugfsHolds(image, "/d", name))
            #expect(try Self.run("cat", [fs, file], root).text == contents)
            let moved = Self.path("/d", Array("moved-".utf8) + name)
            try Self.run("mv", [fs, file, moved], root)
            try Self.run("cat", [fs, file], expect: 2...2, root)
            try Self.run("mv", [fs, moved, file], root)
            try Self.run("ln", [fs, file, Array("/l".utf8)], root)
            try Self.run("ln", [Array("-s".utf8), fs, Self.path("../d", name), Array("/s".utf8)], root)
            #expect(try Self.run("cat", [fs, Self.path("/s", name)], root).text == contents)
            try Self.run("mknod", [fs, Self.path("/n", name), [UInt8(ascii: "p")]], root)
            let attribute = Array("user.".utf8) + name.filter { $0 != UInt8(ascii: "=") }
            let value = name.filter { $0 != UInt8(ascii: "=") }
            try Self.run(
                "xattr", [fs, file, Array("--set".utf8), attribute + [UInt8(ascii: "=")] + value], root)
            #expect(try Self.run("xattr", [fs, file, Array("--get".utf8), attribute], root).output == value)

            let json = try Self.run("stat", [Array("--json".utf8), fs, file], root).output
            let object = try #require(try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
            let path = (object["path"] as? String).map { Array($0.utf8) }
            #expect((path ?? (object["path_hex"] as? String).flatMap(Self.bytes)) == file)
            let attributes = (object["xattrs"] ?? object["xattrs_hex"]) as? [String: String]
            #expect(attributes?.values.first == value.hexString)
            #expect(!json.contains { $0 < 32 && $0 != 10 || $0 == 127 })

            #expect(try Self.run("ls", [fs, file], root).output == file + [10])
            // Characters of a pattern stand for themselves behind a backslash.
            let pattern = name.flatMap { Array("*?[\\".utf8).contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
            #expect(
                try Self.run("find", [fs, Array("/d".utf8), Array("--name=".utf8) + pattern], root).output
                    == file
                    + [10])
            let target = Self.path("out", name)
            try Self.run("get", [fs, file, target], root)
            let got = try Tool.run("bash", ["-c", "cat \(target.shellText)"], directory: root).text
            #expect(got == contents)
        }
        try Tool.run("e2fsck", ["-fn", image])
        // A tree at once: to the host, into an archive and back.
        try Self.run("get", [fs, Array("/d".utf8), Array("tree".utf8)], root)
        try Tool.run("diff", ["-r", "host", "tree"], directory: root)
        try Tool.run(
            "bash", ["-c", "\"$0\" tar --volume disk fs.img /s > s.tar", Fixture.command], directory: root)
        try Self.run("untar", [fs, Array("s.tar".utf8), Array("/k".utf8)], root)
        for name in Self.names {
            #expect(try Self.debugfsHolds(image, "/k", name))
            #expect(
                try Self.run("stat", [fs, Self.path("/k", name)], root).text.contains("->") == false)
        }
        let members = try Tool.run(
            "python3",
            [
                "-c",
                """
                import sys, tarfile
                for m in tarfile.open('s.tar', errors='surrogateescape'):
                    sys.stdout.buffer.write(m.name.encode(errors='surrogateescape') + b'\\0')
                """,
            ], directory: root
        ).output.split(separator: 0).map { Array($0) }
        #expect(Set(members).isSuperset(of: Self.names))
        let all = Self.names.map { Self.path("/d", $0) } + Self.names.map { Self.path("/l", $0) }
        try Self.run("rm", [fs] + all, root)
        #expect(try Self.run("ls", [fs, Array("/d".utf8)], root).output.isEmpty)
        try Tool.run("e2fsck", ["-fn", image])
    }

    private static func bytes(_ hex: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = hex[...]
        while !rest.isEmpty {
            guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return bytes
    }

    @Test func anAbsentNameIsNotAnother() throws {
        let directory = try TemporaryDirectory()
        let image = try Self.empty("fs.img", in: directory)
        let fs = Array("fs.img".utf8)
        let host = Array(try directory.write("a", "kept\n").utf8)
        let kept = Self.path("", Array("\u{fffd}".utf8))
        try Self.run("put", [fs, host, kept], directory.root)
        try Self.run("rm", [fs, [UInt8(ascii: "/"), 0xfb]], expect: 2...2, directory.root)
        try Self.run("put", [fs, host, [UInt8(ascii: "/"), 0xfb]], directory.root)
        try Self.run("rm", [fs, [UInt8(ascii: "/"), 0xfb]], directory.root)
        #expect(try Self.run("cat", [fs, kept], directory.root).text == "kept\n")
        #expect(try Self.debugfsHolds(image, "/", Array("\u{fffd}".utf8)))
    }

    /// The editor gets the copy's path through a shell: a quotation mark is one, with an accent too.
    @Test func anEditorGetsEveryName() throws {
        let directory = try TemporaryDirectory()
        _ = try Self.empty("fs.img", in: directory)
        let fs = Array("fs.img".utf8)
        let host = Array(try directory.write("a", "old\n").utf8)
        for name in ["it's", "'\u{301}; touch gone; '\u{301}", "a b"].map({ Array($0.utf8) }) + [
            [0xfa, 39, 10]
        ] {
            try Self.run("put", [fs, host, Self.path("", name)], directory.root)
            let line =
                [Array(Fixture.command.utf8), Array("edit".utf8)] + Self.volume + [fs, Self.path("", name)]
            let words = line.map(\.shellText).joined(separator: " ")
            try Tool.run(
                "bash", ["-c", "EDITOR='sed -i s/old/new/' \(words)"], directory: directory.root)
            #expect(try Self.run("cat", [fs, Self.path("", name)], directory.root).text == "new\n")
        }
        #expect(!FileManager.default.fileExists(atPath: directory.path("gone")))
    }

    /// The image itself, what is made beside it, and what it names.
    @Test func imagesOfAnyName() throws {
        let directory = try TemporaryDirectory()
        let guest = try Fixture.guest(in: directory)
        let root = directory.root
        for (index, name) in [[0xfa, 65], [10, 0x9b, 0x1b], Array("\u{fffd}".utf8)]
            .enumerated()
        {
            let image = name + Array(".img".utf8)
            try Tool.run(
                "bash", ["-c", "cp --sparse=always \"$0\" \(image.shellText)", guest], directory: root)
            func words(_ text: String) -> [[UInt8]] { text.split(separator: " ").map { Array($0.utf8) } }
            func run(_ arguments: [[UInt8]], expect: ClosedRange<Int32> = 0...0) throws -> Tool.Result {
                try Fixture.diskgraft(bytes: arguments, expect: expect, directory: root)
            }
            let json = try run(words("info --json") + [image]).output
            let report = try #require(try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
            let isText = String(validating: image, as: UTF8.self) != nil
            #expect(report["filename-hex"] as? String == (isText ? nil : image.hexString))
            let before = try Tool.run("bash", ["-c", "cat \(image.shellText)"], directory: root).output
            _ = try run(words("label") + [image] + words("changed"))
            #expect(try run(words("label") + [image]).text == "changed\n")
            _ = try run(words("undo") + [image])
            let said = try run(words("undo") + [image]).output
            #expect(said == Array("There is nothing to undo.\n".utf8))
            // The superblock's count of free blocks, and so its checksum, is wrong.
            let bad = [UInt8(ascii: "c")] + image
            try Tool.run(
                "bash",
                [
                    "-c",
                    "mke2fs -q -F -t ext4 -O metadata_csum \(bad.shellText) 4M && printf 1234 | dd of=\(bad.shellText) bs=1 seek=1036 conv=notrunc status=none",
                ], directory: root)
            let check = try run(words("check --json") + [bad], expect: 0...2).output
            let findings = try #require(
                (try JSONSerialization.jsonObject(with: Data(check)) as? [String: Any])?["findings"]
                    as? [[String: Any]])
            #expect(!findings.isEmpty, "\(String(decoding: check, as: UTF8.self))")
            for finding in findings {
                #expect(finding["image_hex"] as? String == (isText ? nil : bad.hexString))
            }
            let after = try Tool.run("bash", ["-c", "cat \(image.shellText)"], directory: root).output
            let isSame = after == before
            #expect(isSame)
            for suffix in [".qcow2", ".vhd", ".vhdx"] {
                let other = name + Array(suffix.utf8)
                _ = try run(words("convert") + [image, other])
                _ = try run(words("compare") + [image, other])
                _ = try run(words("check") + [other])
            }
            if !name.contains(10) {
                let flat = name + Array(".vmdk".utf8)
                _ = try run(words("convert -o subformat=monolithicFlat") + [image, flat])
                _ = try run(words("compare") + [image, flat])
            }
            let child = Array("child\(index).vhd".utf8)
            let parent = name + Array(".vhd".utf8)
            _ = try run(words("create -f vhd -b") + [parent, child])
            _ = try run(words("compare --allow-siblings") + [image, child])
            _ = try run(words("resize") + [name + Array(".qcow2".utf8)] + words("+1M"))
            let out = Array("out".utf8) + name
            _ = try run(words("migrate --to kvm -O raw") + [image, out])
            _ = try run(words("compare") + [image, name + Array(".vhdx".utf8)])
            // None is called anything else.
            let listed = try Tool.run("bash", ["-c", "printf '%s\\0' *"], directory: root).output
                .split(separator: 0).map { Array($0) }
            for made in [image, out, parent] { #expect(listed.contains(made)) }
            #expect(!listed.contains { $0.starts(with: [0xf4, 0x8f]) })
        }
    }

    @Test(.enabled(if: Tool.has("script"), "script is not installed"))
    func nothingSteersATerminalAndWhatIsShownComesBack() throws {
        let directory = try TemporaryDirectory()
        _ = try Self.empty("fs.img", in: directory)
        let fs = Array("fs.img".utf8)
        let root = directory.root
        try Self.run("mkdir", [fs] + Self.names.map { Self.path("", $0) }, root)
        let label: [UInt8] = [0x1b] + Array("[2J\u{9b}1m".utf8)
        try Self.run("label", [fs, label], root)
        let listing = try Fixture.terminal([Array("ls".utf8)] + Self.volume + [fs], directory: root)
        let lines = listing.split(separator: 10)
        #expect(lines.count == Self.names.count + 1)
        var names: Set<[UInt8]> = []
        for line in lines {
            let text = String(decoding: line, as: UTF8.self)
            names.insert(try Tool.run("bash", ["-c", "printf %s \(text)"]).output)
        }
        #expect(names == Set(Self.names + [Array("lost+found".utf8)]))

        let escape: [UInt8] = [0x1b, 0x5b, 0x32, 0x4a, 0x9b]
        let other = [escape + Array(".img".utf8)]
        try Tool.run("bash", ["-c", "cp fs.img \(other[0].shellText)"], directory: root)
        func words(_ text: String) -> [[UInt8]] { text.split(separator: " ").map { Array($0.utf8) } }
        for command in [
            words("info") + other, words("info --json") + other, words("inspect") + other,
            words("plan --to kvm") + other, words("check") + other, words("label --volume disk") + other,
            words("ls -l --volume disk") + other, words("ls -R --json --volume disk") + other,
            words("find --volume disk") + other,
            words("stat --volume disk") + other + [Self.path("", Self.names[0])],
            words("cat --volume disk") + other + [Self.path("/none", escape)],
            words("ls --volume") + [escape] + other, words("nonsense") + [escape], [escape],
            words("get --volume disk") + other + [Self.path("", Self.names[0]), Self.path("/none", escape)],
            words("chown --volume disk") + other + [escape, Self.path("", Self.names[0])],
            words("put --volume disk") + other + [escape, Array("/x".utf8)],
        ] {
            let output = try Fixture.terminal(command, directory: root)
            let bad = output.contains { $0 < 32 && $0 != 10 && $0 != 9 || $0 == 127 }
            let text = String(validating: output, as: UTF8.self)
            #expect(!bad && text != nil, "\(command.map(\.shellText))")
            #expect(
                text?.unicodeScalars.contains { (0x80...0x9f).contains($0.value) } == false,
                "\(command.map(\.shellText))")
        }
    }
}
