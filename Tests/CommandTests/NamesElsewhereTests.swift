import Foundation
import Storage
import TestSupport
import Testing

/// Every byte that a name can hold, through every command, on the file systems besides ext4.
struct NamesElsewhereTests {
    private static func words(_ text: String) -> [[UInt8]] {
        text.split(separator: " ").map { Array($0.utf8) }
    }

    private static func path(_ directory: String, _ name: [UInt8]) -> [UInt8] {
        Array("\(directory)/".utf8) + name
    }

    @discardableResult
    private static func run(
        _ command: String, _ arguments: [[UInt8]], expect: ClosedRange<Int32>? = 0...0, _ directory: String
    ) throws -> Tool.Result {
        let line = command.split(separator: " ").map { Array($0.utf8) }
        return try Fixture.diskgraft(
            bytes: [line[0]] + words("--volume disk") + line.dropFirst() + [Array("v.img".utf8)] + arguments,
            expect: expect, directory: directory)
    }

    private static func found(_ below: String, _ directory: String) throws -> Set<[UInt8]> {
        Set(
            try run("find -0", [Array(below.utf8)], directory).output.split(separator: 0).dropFirst().map {
                Array($0)
            })
    }

    @Test(.enabled(if: Tool.has("mkfs.xfs", "xfs_repair", "bash", "python3"), "judges are missing"))
    func onXFS() throws {
        let directory = try TemporaryDirectory()
        let root = directory.root
        let image = try directory.sparse("v.img", byteCount: 300 << 20)
        try Tool.run("mkfs.xfs", ["-q", image])
        let names = NameTests.names
        try Self.run("mkdir", ["/d", "/l", "/s", "/k", "/n", "/m"].map { Array($0.utf8) }, root)
        let made = names.map { Self.path("/k", $0) }
        try Self.run("mkdir", made, root)
        try Self.run("chmod", [Array("711".utf8)] + made, root)
        try Self.run("chown", [Array("7:8".utf8)] + made, root)
        #expect(try Self.found("/k", root) == Set(made))
        for (index, name) in names.enumerated() {
            let file = Self.path("/d", name)
            let source = Self.path("host", name)
            try Tool.run(
                "bash",
                ["-c", "mkdir -p host out && printf %s \"$0\" > \(source.shellText)", "contents \(index)\n"],
                directory: root)
            try Self.run("put", [source, Array("/d".utf8)], root)
            try Self.run("mv", [file, Self.path("/m", name)], root)
            try Self.run("mv", [Self.path("/m", name), file], root)
            try Self.run("ln", [file, Array("/l".utf8)], root)
            try Self.run("ln -s", [Self.path("../d", name), Array("/s".utf8)], root)
            try Self.run("mknod", [Self.path("/n", name), [UInt8(ascii: "p")]], root)
            let plain = name.filter { $0 != UInt8(ascii: "=") }
            let attribute = Array("user.".utf8) + plain
            try Self.run("xattr", [file, Array("--set".utf8), attribute + [UInt8(ascii: "=")] + plain], root)
            #expect(try Self.run("xattr", [file, Array("--get".utf8), attribute], root).output == plain)
            #expect(try Self.run("cat", [Self.path("/s", name)], root).text == "contents \(index)\n")
            #expect(try Self.run("ls", [file], root).output == file + [10])
            let stat = try Self.run("stat", [file], root).output.split(separator: 10)
            let links = stat.first { $0.starts(with: "links:".utf8) }?.split(separator: 32).last
            #expect(links.map { Array($0) } == [UInt8(ascii: "2")])
            try Self.run("get", [file, Self.path("out", name)], root)
        }
        try Tool.run("diff", ["-r", "host", "out"], directory: root)
        for folder in ["/d", "/l", "/s", "/n"] {
            #expect(try Self.found(folder, root) == Set(names.map { Self.path(folder, $0) }))
        }
        try Tool.run("xfs_repair", ["-n", image])
        if LoopDevices.areThere {
            // As the kernel has them.
            let device = try LoopDevices.attach(image)
            defer { _ = try? Tool.run("losetup", ["-d", device]) }
            let point = directory.path("mnt")
            try Tool.run("mkdir", [point])
            try Tool.run("mount", ["-o", "ro,norecovery", device, point])
            defer { _ = try? Tool.run("umount", [point]) }
            try Tool.run("diff", ["-r", "host", "mnt/d"], directory: root)
        }
        try Tool.run(
            "bash", ["-c", "\"$0\" tar --volume disk v.img /s > s.tar", Fixture.command], directory: root)
        try Self.run("rmdir", made, root)
        try Self.run("untar", [Array("s.tar".utf8), Array("/k".utf8)], root)
        #expect(try Self.found("/k", root) == Set(made))
        try Self.run("rm", names.flatMap { [Self.path("/d", $0), Self.path("/l", $0)] }, root)
        #expect(try Self.found("/d", root).isEmpty)
        try Tool.run("xfs_repair", ["-n", image])
    }

    /// What FAT cannot hold is refused with nothing written; what it can hold is found by the same bytes, by others too.
    @Test(.enabled(if: Tool.has("mkfs.vfat", "fsck.vfat", "mdir"), "judges are missing"))
    func onFAT() throws {
        let directory = try TemporaryDirectory()
        let root = directory.root
        let image = try directory.sparse("v.img", byteCount: 32 << 20)
        try Tool.run("mkfs.vfat", ["-F", "16", image])
        let source = Array(try directory.write("source", "x\n").utf8)
        let bytes = (1...255).filter { $0 != 47 && $0 != 46 }.map { UInt8($0) }
        let single = bytes.filter { $0 < 0x30 || !($0 & 0xdf >= 0x41 && $0 & 0xdf <= 0x5a) }
            .map { [UInt8(ascii: "n"), $0, UInt8(ascii: "x")] }
        var held: Set<[UInt8]> = []
        var refused = 0
        try Self.run("mkdir", [Array("/d".utf8)], root)
        // Those that FAT has no way to write: control characters, its own signs, what is no text.
        let signs = Array("\"*:<>?|\\".utf8)
        var wanted = 0
        for name in single.filter({ $0[1] >= 0x20 && $0[1] < 0x80 }) + [
            [0x6e, 1, 0x78], [0x6e, 0x80, 0x78], [0x6e, 0xff, 0x78],
        ]
            + NameTests.names
        {
            let before = try Tool.run("cksum", [image]).text
            let result = try Self.run("put", [source, Self.path("/d", name)], expect: nil, root)
            let isText = String(validating: name, as: UTF8.self) != nil
            let mayBe = isText && !name.contains { $0 < 0x20 || $0 == 0x7f || signs.contains($0) }
            #expect([0, 2, 64].contains(result.status), "\(name): \(result.errorText)")
            if result.status == 0 {
                held.insert(Self.path("/d", name))
            } else {
                refused += 1
                #expect(try Tool.run("cksum", [image]).text == before, "\(name)")
            }
            if mayBe, name.last != 0x20, name.last != 0x2e { wanted += result.status == 0 ? 0 : 1 }
            #expect(isText || result.status != 0, "\(name)")
        }
        #expect(wanted == 0 && refused > 10)
        #expect(try Self.found("/d", root) == held)
        for path in held {
            #expect(try Self.run("cat", [path], root).text == "x\n")
            let moved = Array("/d/moved".utf8)
            try Self.run("mv", [path, moved], root)
            try Self.run("mv", [moved, path], root)
        }
        #expect(try Self.found("/d", root) == held)
        try Tool.run("fsck.vfat", ["-n", image])
        try Self.run("get", [Array("/d".utf8), Array("out".utf8)], root)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.path("out")).count == held.count)
        try Self.run("rm", Array(held), root)
        #expect(try Self.found("/d", root).isEmpty)
        try Tool.run("fsck.vfat", ["-n", image])
    }
}
