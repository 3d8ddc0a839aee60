import Foundation
import TestSupport
import Testing

/// Commands keep the memory that docs/limits.md says, under `ulimit -v`, whatever an image claims: they do their work or
/// say what is too much, and never die of an allocation.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs"), "mke2fs or debugfs is missing"))
struct MemoryLimitTests {
    /// Runs the command with so much address space; fails when a signal ended it.
    @discardableResult
    static func run(
        _ mebibytes: Int, _ arguments: [String], in directory: TemporaryDirectory
    ) throws -> Tool.Result {
        // What a signal ended exits with more than 128 here.
        let result = try Tool.run(
            "sh",
            ["-c", "ulimit -v \(mebibytes << 10); \"$@\"; exit $?", "sh", Fixture.command] + arguments,
            directory: directory.root, expect: nil)
        #expect(result.status < 128, "\(arguments): \(result.errorText)")
        return result
    }

    @Test(arguments: [
        (["-f", "vhdx", "x.vhdx", "64T"], "x.vhdx"), (["-f", "vhd", "x.vhd", "2040G"], "x.vhd"),
        (["-f", "qcow2", "x.qcow2", "1024T"], "x.qcow2"), (["-f", "vmdk", "x.vmdk", "1980G"], "x.vmdk"),
    ])
    func imagesAtTheirFormatsLimits(_ create: [String], _ name: String) throws {
        let directory = try TemporaryDirectory()
        #expect(try Self.run(192, ["create"] + create, in: directory).status == 0)
        for command in [
            ["info", name], ["map", "--json", name], ["check", name], ["compare", name, name],
        ] {
            #expect(try Self.run(192, command, in: directory).status == 0)
        }
        #expect(try Self.run(192, ["convert", "-O", "qcow2", name, "out.qcow2"], in: directory).status == 0)
    }

    /// A table of zeros names the header a million times: a finding an entry.
    @Test func aTableOfGarbageHasAThousandFindings() throws {
        let directory = try TemporaryDirectory()
        try Fixture.diskgraft("create", "-f", "vhd", "x.vhd", "2040G", directory: directory.root)
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: directory.path("x.vhd")))
        try file.seek(toOffset: 1536)
        try file.write(contentsOf: Data(repeating: 0, count: 4 * 2040 << 9))
        try file.close()
        let check = try Self.run(192, ["check", "x.vhd"], in: directory)
        #expect(check.status == 2)
        let lines = check.text.split(separator: "\n")
        #expect((1000...1010).contains(lines.count))
        #expect(lines.contains { $0.contains("more findings") })
    }

    /// One block of names, which indirect blocks repeat a million times.
    private static func endlessDirectory(_ directory: TemporaryDirectory) throws -> String {
        let path = directory.path("v.img")
        try Tool.run(
            "mke2fs", ["-q", "-O", "none,filetype", "-I", "128", "-N", "64", "-b", "4096", path, "8G"])
        let commands = try directory.write(
            "commands",
            "mkdir d\nmkdir e\nmkdir f\nmkdir g\nset_inode_field d size \((1 << 20) - 4096 << 12 as Int)\n")
        try Tool.run("debugfs", ["-w", "-f", commands, path])
        let blocks = try ["e", "f", "g"].map { name in
            let text = try Tool.run("debugfs", ["-R", "blocks \(name)", path]).text
            return try #require(UInt32(text.split(whereSeparator: \.isWhitespace).last ?? ""))
        }
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        func put(_ bytes: [UInt8], _ block: UInt32) throws {
            try file.seek(toOffset: UInt64(block) * 4096)
            try file.write(contentsOf: Data(bytes))
        }
        func pointers(to block: UInt32) -> [UInt8] {
            (0..<1024).flatMap { _ in (0..<4).map { UInt8(truncatingIfNeeded: block >> UInt32(8 * $0)) } }
        }
        var names: [UInt8] = []
        for index in 0..<341 {
            let last = index == 340
            names += [11, 0, 0, 0, last ? 16 : 12, 0, 3, 2]
            names += [UInt8(97 + index / 26 % 26), UInt8(97 + index % 26), UInt8(65 + index / 676), 0]
        }
        names += [UInt8](repeating: 0, count: 4096 - names.count)
        try put(names, blocks[0])
        try put(pointers(to: blocks[0]), blocks[1])
        try put(pointers(to: blocks[1]), blocks[2])
        try file.close()
        try Tool.run("debugfs", ["-w", "-R", "set_inode_field d block[DIND] \(blocks[2])", path])
        return path
    }

    @Test(arguments: [["ls"], ["tar"], ["rm", "-r"]])
    func aDirectoryWithoutEnd(_ command: [String]) throws {
        let directory = try TemporaryDirectory()
        _ = try Self.endlessDirectory(directory)
        let result = try Self.run(
            1024, command + ["--volume", "disk", "v.img"] + (command == ["tar"] ? ["/"] : ["/d"]),
            in: directory)
        #expect(result.status != 0)
        #expect(result.errorText.contains("names"))
    }

    /// A thousand levels, at each eight directories of long names: their paths together have a GiB.
    @Test func aDeepTreeOfLongNames() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("v.img")
        try Tool.run(
            "mke2fs",
            ["-q", "-O", "none,filetype,extent", "-I", "128", "-N", "12000", "-b", "4096", path, "128M"])
        let long = String(repeating: "x", count: 250)
        let level = (0..<8).map { "mkdir \($0)\(long)\n" }.joined() + "cd 7\(long)\n"
        let commands = try directory.write("commands", String(repeating: level, count: 1000))
        try Tool.run("debugfs", ["-w", "-f", commands, path])
        let found = try Self.run(
            256, ["find", "--volume", "disk", "v.img", "/", "--name", "none"], in: directory)
        #expect(found.status == 0, "\(found.errorText.prefix(200))")
        #expect(found.output.isEmpty)
    }

    @Test func longFilesAndStreams() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("v.img")
        try Tool.run("mke2fs", ["-q"] + EditCommandTests.ext4 + ["-b", "4096", path, "512M"])
        let one = try directory.write("one", "x")
        let commands = try directory.write(
            "commands", "write \(one) hole\nset_inode_field hole size \(8 << 40 as Int64)\n")
        try Tool.run("debugfs", ["-w", "-f", commands, path])
        #expect(
            try Self.run(192, ["get", "--volume", "disk", "v.img", "/hole", "out"], in: directory).status == 0
        )
        let stream = try Tool.run(
            "sh",
            [
                "-c",
                "ulimit -v \(256 << 10); head -c 200000000 /dev/zero | \"$@\"", "sh", Fixture.command, "put",
                "--volume", "disk", "v.img", "-", "/long",
            ], directory: directory.root, expect: nil)
        #expect(stream.status == 0, "\(stream.errorText)")
    }

    /// Each link leads to the next by the longest way that there is.
    @Test func longChainsOfLinks() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("v.img")
        try Tool.run(
            "mke2fs",
            ["-q", "-O", "none,filetype,extent", "-I", "128", "-N", "3000", "-b", "4096", path, "32M"])
        let way = String(repeating: "d/../", count: 800)
        let links = (0..<2000).map { "symlink l\($0) \(way)l\($0 + 1)\n" }.joined()
        let one = try directory.write("one", "x")
        let commands = try directory.write(
            "commands", "mkdir d\n\(links)write \(one) l2000\nsymlink self self\n")
        try Tool.run("debugfs", ["-w", "-f", commands, path])
        for name in ["/l0", "/l1900", "/self", "/self/x"] {
            for command in ["cat", "ls", "put"] {
                let result = try Self.run(
                    192,
                    [command, "--volume", "disk", "v.img"] + (command == "put" ? [one] : []) + [name],
                    in: directory)
                #expect(result.status == 1 || result.status == 2, "\(command) \(name)")
            }
        }
        #expect(try Self.run(192, ["cat", "--volume", "disk", "v.img", "/l1999"], in: directory).text == "x")
        #expect(try Self.run(192, ["tar", "--volume", "disk", "v.img", "/"], in: directory).status == 0)
    }

    /// 11 MiB of extended attributes of one file, as the kernel makes them; and more than are read.
    @Test(
        .enabled(
            if: LoopDevices.areThere && Tool.has("mkfs.xfs", "python3"), "needs root, loop devices, mkfs.xfs"),
        arguments: [(3000, 0), (5000, 2)] as [(Int, Int32)])
    func manyAttributesOfOneFile(_ count: Int, _ status: Int32) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("v.img", byteCount: 300 << 20)
        try Tool.run("mkfs.xfs", ["-q", path])
        do {
            let device = try LoopDevices.attach(path)
            defer { _ = try? Tool.run("losetup", ["-d", device]) }
            let point = directory.path("mnt")
            try Tool.run("mkdir", [point])
            try Tool.run("mount", [device, point])
            defer { _ = try? Tool.run("umount", [point]) }
            let script = """
                import os, sys
                open(sys.argv[1], 'w').close()
                for number in range(\(count)): os.setxattr(sys.argv[1], f'user.n{number}', b'v' * 3900)
                """
            try Tool.run("python3", ["-c", script, point + "/one"])
        }
        for command in [["xattr"], ["stat"], ["stat", "--json"], ["ls", "-R", "--json"], ["tar"]] {
            let result = try Self.run(
                256, command + ["--volume", "disk", "v.img", command[0] == "tar" ? "/" : "/one"],
                in: directory)
            #expect(
                (result.status == 0) == (status == 0),
                "\(command): \(result.status) \(result.errorText.prefix(200))")
        }
        // One value after the other: their sum is no limit of it.
        let check = try Self.run(256, ["check", "v.img"], in: directory)
        #expect(check.status == 0, "\(check.text.prefix(200))")
        guard status == 0 else { return }
        #expect(
            try Self.run(256, ["get", "--volume", "disk", "v.img", "/one", "out"], in: directory).status == 0)
    }
}
