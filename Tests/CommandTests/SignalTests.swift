import Foundation
import TestSupport
import Testing

/// The first signal ends a command wherever it is, and leaves the image as it was. Without the looks at the signal each
/// of these commands goes on for minutes; the bound is for a busy machine.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs"), "mke2fs or debugfs is missing"))
struct SignalTests {
    /// A volume with a hole of 8 TiB in /d/hole, and in /full 12 GiB of data that take no space on the host.
    private static func volume(_ directory: TemporaryDirectory) throws -> String {
        let path = directory.path("v.img")
        try Tool.run(
            "mke2fs",
            [
                "-q", "-O", "none,filetype,extent,64bit,sparse_super,large_file,huge_file", "-I", "256", "-N",
                "64", "-b",
                "4096", path,
                "16G",
            ])
        let one = try directory.write("one", "x")
        let commands = try directory.write(
            "commands",
            """
            mkdir d
            write \(one) d/hole
            set_inode_field d/hole size \(8 << 40 as Int64)
            write \(one) full
            fallocate full 1 \(3 << 20 - 1)
            set_inode_field full size \(12 << 30 as Int64)
            """)
        try Tool.run("debugfs", ["-w", "-f", commands, path])
        // What was allocated counts as written: the extents' lengths lose the mark of those that were not.
        let blocks = try Tool.run("debugfs", ["-R", "stat full", path]).text
        let leaf = try #require(
            blocks.firstRange(of: "(ETB0):").flatMap {
                UInt64(blocks[$0.upperBound...].prefix { $0.isNumber })
            })
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try file.seek(toOffset: leaf * 4096)
        var bytes = [UInt8](try #require(try file.read(upToCount: 4096)))
        for index in 0..<Int(bytes[2]) | Int(bytes[3]) << 8 {
            let place = 12 + index * 12 + 4
            let length = Int(bytes[place]) | Int(bytes[place + 1]) << 8
            guard length > 0x8000 else { continue }
            bytes[place + 1] &= 0x7f
        }
        try file.seek(toOffset: leaf * 4096)
        try file.write(contentsOf: Data(bytes))
        try file.close()
        return path
    }

    /// A qcow2 of 8 TiB of which every cluster is there: all of them the same zeros.
    private static func dense(_ directory: TemporaryDirectory) throws -> String {
        var bytes = [UInt8](repeating: 0, count: 10 << 16)
        func put(_ value: UInt64, _ width: Int, at offset: Int) {
            for index in 0..<width {
                bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * (width - 1 - index)))
            }
        }
        let entries = (8 << 40) / (512 << 20)
        put(0x5146_49fb, 4, at: 0)
        put(3, 4, at: 4)
        put(16, 4, at: 20)
        put(8 << 40, 8, at: 24)
        put(UInt64(entries), 4, at: 36)
        put(3 << 16, 8, at: 40)
        put(1 << 16, 8, at: 48)
        put(1, 4, at: 56)
        put(4, 4, at: 96)
        put(104, 4, at: 100)
        put(2 << 16, 8, at: 1 << 16)
        for index in 0..<entries { put(8 << 16, 8, at: 3 << 16 + index * 8) }
        for index in 0..<8192 { put(9 << 16, 8, at: 8 << 16 + index * 8) }
        return try directory.write("dense.qcow2", bytes)
    }

    @Test(arguments: [
        (["cat", "--volume", "disk", "v.img", "/d/hole"], SIGINT),
        (["tar", "--volume", "disk", "v.img", "/d"], SIGTERM),
        (["ls", "-R", "--json", "--hash", "sha256", "--volume", "disk", "v.img", "/d"], SIGHUP),
        (["get", "--volume", "disk", "v.img", "/full", "out"], SIGINT),
    ])
    func insideOneFile(_ arguments: [String], _ number: Int32) throws {
        let directory = try TemporaryDirectory()
        _ = try Self.volume(directory)
        let command = try RunningCommand(arguments, directory: directory.root)
        #expect(command.isComputing())
        #expect(command.end(by: number) == 128 + number)
        #expect(command.errorText.contains("interrupted"))
        #expect(!FileManager.default.fileExists(atPath: directory.path("out")))
    }

    @Test(arguments: [
        (["convert", "-O", "raw", "dense.qcow2", "out.img"], SIGTERM),
        (["convert", "-p", "-O", "vhdx", "dense.qcow2", "out.vhdx"], SIGINT),
        (["compare", "dense.qcow2", "same.qcow2"], SIGINT),
        (["map", "--json", "dense.qcow2"], SIGTERM),
    ])
    func insideOneDisk(_ arguments: [String], _ number: Int32) throws {
        let directory = try TemporaryDirectory()
        let path = try Self.dense(directory)
        try FileManager.default.copyItem(atPath: path, toPath: directory.path("same.qcow2"))
        let command = try RunningCommand(arguments, directory: directory.root)
        #expect(command.isComputing())
        #expect(command.end(by: number) == 128 + number)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.root).count == 2)
    }

    @Test func insideOneCheck() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("v.img")
        // 65,536 groups that were never written: each is judged without reading anything.
        let made = try Tool.run(
            "mke2fs",
            [
                "-q", "-O", "none,filetype,extent,64bit,sparse_super,large_file,flex_bg,metadata_csum", "-E",
                "lazy_itable_init=1", "-b",
                "4096", "-i", "16777216", path, "8T",
            ], expect: nil)
        guard made.status == 0 else { return }
        let command = try RunningCommand(["check", path])
        #expect(command.isComputing())
        #expect(command.end(by: SIGTERM) == 143)
    }

    /// A FAT32 of as many clusters as there can be, whose tables take no space on the host.
    private static func longTable(_ directory: TemporaryDirectory) throws -> String {
        let path = directory.path("f.img")
        let clusters: UInt64 = 0x0fff_fff4
        let tableSectors = (clusters + 2) * 4 / 512 + 1
        var sector = [UInt8](repeating: 0, count: 512)
        func put(_ value: UInt64, _ width: Int, at offset: Int) {
            for index in 0..<width {
                sector[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
            }
        }
        sector.replaceSubrange(0..<11, with: [0xeb, 0x58, 0x90] + Array("MSDOS5.0".utf8))
        for (value, width, offset) in [
            (512, 2, 11), (1, 1, 13), (32, 2, 14), (2, 1, 16), (0xf8, 1, 21),
            (32 + 2 * tableSectors + clusters, 4, 32),
            (tableSectors, 4, 36), (2, 4, 44), (1, 2, 48), (6, 2, 50), (0x80, 1, 64), (0x29, 1, 66),
            (0xaa55, 2, 510),
        ] as [(UInt64, Int, Int)] { put(value, width, at: offset) }
        sector.replaceSubrange(71..<90, with: Array("NO NAME    FAT32   ".utf8))
        var information = [UInt8](repeating: 0, count: 512)
        information.replaceSubrange(0..<4, with: Array("RRaA".utf8))
        information.replaceSubrange(484..<496, with: Array("rrAa".utf8) + [UInt8](repeating: 0xff, count: 8))
        information[510] = 0x55
        information[511] = 0xaa
        let head: [UInt8] = [0xf8, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff, 0x0f, 0xf8, 0xff, 0xff, 0x0f]
        try Data().write(to: URL(fileURLWithPath: path))
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        for (bytes, place) in [
            (sector, 0), (information, 1), (sector, 6), (head, 32), (head, 32 + tableSectors),
        ] as [([UInt8], UInt64)] {
            try file.seek(toOffset: place * 512)
            try file.write(contentsOf: Data(bytes))
        }
        try file.truncate(atOffset: (32 + 2 * tableSectors + clusters) * 512)
        try file.close()
        return path
    }

    @Test func insideOneCheckOfFAT() throws {
        let directory = try TemporaryDirectory()
        let command = try RunningCommand(["check", try Self.longTable(directory)])
        #expect(command.isComputing())
        #expect(command.end(by: SIGINT) == 130)
    }

    /// More groups than are looked through in a second.
    @Test(.enabled(if: Tool.has("mkfs.xfs"), "mkfs.xfs is missing")) func insideOneCheckOfXFS() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("x.img", byteCount: 4 << 40)
        let made = try Tool.run("mkfs.xfs", ["-q", "-d", "agcount=2000", path], expect: nil)
        guard made.status == 0 else { return }
        let command = try RunningCommand(["check", path])
        #expect(command.isComputing())
        #expect(command.end(by: SIGTERM) == 143)
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func waitingForInput(_ number: Int32) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("v.img")
        try Tool.run("mke2fs", ["-q"] + EditCommandTests.ext4 + ["-b", "4096", path, "256M"])
        let before = try fileBytes(path)
        // More than memory holds of a change: part of it is in the image when the input stops.
        let member = [UInt8](repeating: 0x5a, count: 80 << 20)
        let archive = directory.path("a.tar")
        _ = try directory.write("m", member)
        try Tool.run("tar", ["-cf", archive, "-C", directory.root, "m"])
        let part = Array(try fileBytes(archive).prefix(70 << 20))
        for (arguments, input) in [
            (["put", "--volume", "disk", path, "-", "/new"], [1, 2, 3]),
            (["untar", "--volume", "disk", path, "-"], part),
        ] as [([String], [UInt8])] {
            let command = try RunningCommand(arguments, input: input)
            #expect(command.isBlocked())
            #expect(command.end(by: number) == 128 + number)
            // On a busy machine taking back may outlast the time that it has; the next opening goes on with it.
            if FileManager.default.fileExists(atPath: path + ".undo") {
                try Fixture.diskgraft("undo", path)
            }
            #expect(try fileBytes(path) == before)
            #expect(!FileManager.default.fileExists(atPath: path + ".undo"))
        }
    }

    @Test func waitingForAReader() throws {
        let directory = try TemporaryDirectory()
        let path = try Self.volume(directory)
        let command = try RunningCommand(["cat", "--volume", "disk", path, "/d/hole"], output: .fullPipe)
        #expect(command.isBlocked())
        #expect(command.end(by: SIGINT) == 130)
    }

    @Test func waitingForAnEditor() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("v.img")
        try Tool.run("mke2fs", ["-q"] + EditCommandTests.ext4 + ["-b", "4096", path, "16M"])
        let one = try directory.write("one", "x")
        try Tool.run("debugfs", ["-w", "-R", "write \(one) one", path])
        let before = try fileBytes(path)
        let folder = directory.path("tmp")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let editor = try directory.write("editor", "#!/bin/sh\nexec sleep 600\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: editor)
        let command = try RunningCommand(
            ["edit", "--volume", "disk", path, "/one"],
            environment: ["EDITOR": editor, "VISUAL": "", "TMPDIR": folder])
        #expect(command.isBlocked())
        #expect(command.end(by: SIGTERM) == 143)
        #expect(try fileBytes(path) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }

    /// ^C on the terminal is the editor's, which does with it what it likes.
    @Test(.enabled(if: Tool.has("python3"))) func whatIsTypedInAnEditorIsTheEditors() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("v.img")
        try Tool.run("mke2fs", ["-q"] + EditCommandTests.ext4 + ["-b", "4096", path, "16M"])
        let one = try directory.write("one", "old\n")
        try Tool.run("debugfs", ["-w", "-R", "write \(one) one", path])
        let editor = try directory.write(
            "editor",
            "#!/bin/sh\ntrap 'echo new > \"$1\"; exit 0' INT\necho ready\nwhile :; do sleep 0.1; done\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: editor)
        let program = """
            import os, pty, sys
            pid, terminal = pty.fork()
            if pid == 0:
                os.environ.update(EDITOR=sys.argv[1], VISUAL='')
                os.execv(sys.argv[2], sys.argv[2:])
            seen = b''
            while b'ready' not in seen: seen += os.read(terminal, 1000)
            os.write(terminal, b'\\x03')
            try:
                while more := os.read(terminal, 1000): seen += more
            except OSError: pass
            sys.stderr.write(seen.decode())
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 255)
            """
        let result = try Tool.run(
            "python3", ["-c", program, editor, Fixture.command, "edit", "--volume", "disk", path, "/one"],
            expect: nil)
        #expect(result.status == 0, "\(result.errorText)")
        #expect(try Fixture.diskgraft("cat", "--volume", "disk", path, "/one").text == "new\n")
    }

    /// The second signal kills, at whatever moment: what it leaves is the image as it was, or a record that brings it back.
    @Test(arguments: [0, 1000, 20_000, 100_000]) func twoSignals(_ pause: UInt32) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("v.img")
        try Tool.run("mke2fs", ["-q"] + EditCommandTests.ext4 + ["-b", "4096", path, "128M"])
        let before = try fileBytes(path)
        // More than is held in memory, so that it is in the image in part.
        let command = try RunningCommand(
            ["put", "--volume", "disk", path, "-", "/long"],
            input: [UInt8](repeating: 7, count: 80 << 20))
        #expect(command.isBlocked())
        command.send(SIGINT)
        usleep(pause)
        _ = command.end(by: SIGINT)
        if FileManager.default.fileExists(atPath: path + ".undo") {
            try Fixture.diskgraft("ls", "--volume", "disk", path, "/", expect: 2...2)
            try Fixture.diskgraft("undo", path)
        }
        let isAsBefore = try fileBytes(path) == before
        #expect(isAsBefore)
        #expect(try Fixture.diskgraft("ls", "--volume", "disk", path, "/").text.contains("lost+found"))
    }
}
