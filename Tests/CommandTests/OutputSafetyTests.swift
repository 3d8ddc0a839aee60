import Foundation
import TestSupport
import Testing

/// What a new image must not destroy, must not show to others, and leaves behind.
struct OutputSafetyTests {
    @Test(arguments: ["qcow2", "vhd", "vhdx", "vdi"])
    func aChildNeverTakesTheNameOfWhatItStandsOn(_ format: String) throws {
        let directory = try TemporaryDirectory()
        let (base, middle) = ("base.\(format)", "middle.\(format)")
        func create(_ arguments: [String], expect: ClosedRange<Int32> = 0...0) throws -> Tool.Result {
            try Tool.run(
                Fixture.command, ["create", "-f", format] + arguments, directory: directory.root,
                expect: expect)
        }
        _ = try create([base, "1M"])
        _ = try create(["-b", base, middle])
        try FileManager.default.createSymbolicLink(
            atPath: directory.path("link"), withDestinationPath: directory.path(base))
        let before = try [base, middle].map { try fileBytes(directory.path($0)) }
        // Onto the parent, by either of its names, and onto the parent's parent.
        for (parent, child) in [(base, base), (base, "link"), ("link", base), (middle, base)] {
            let refused = try create(["-b", parent, child], expect: 2...2)
            #expect(refused.errorText.contains("the new disk's parent"), "\(refused.errorText)")
        }
        #expect(try [base, middle].map { try fileBytes(directory.path($0)) } == before)
        if format == "qcow2" {
            // Whether or not it is looked at, or there.
            _ = try create(["-u", "-b", base, base, "1M"], expect: 2...2)
            _ = try create(["-u", "-b", "new", "new", "1M"], expect: 2...2)
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: directory.root)
        #expect(left.sorted() == [base, "link", middle])
    }

    private static func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test func aCopyIsReadByNobodyWhoMayNotReadTheSource() throws {
        let directory = try TemporaryDirectory()
        var random = SeededRandom(1)
        let source = try directory.write("disk.raw", random.block(1 << 20))
        for (mode, mask, expected) in [
            (0o600, "022", 0o600), (0o640, "022", 0o640), (0o644, "022", 0o644), (0o644, "077", 0o600),
            (0o604, "000", 0o606), (0o400, "022", 0o600),
        ] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: source)
            for options in [["copy.qcow2"], ["-o", "subformat=monolithicFlat", "copy.vmdk"]] {
                try Tool.run(
                    "sh",
                    ["-c", "umask \(mask); exec \"$0\" \"$@\"", Fixture.command, "convert", "disk.raw"]
                        + options,
                    directory: directory.root)
            }
            for name in ["copy.qcow2", "copy.vmdk", "copy-flat.vmdk"] {
                #expect(try Self.mode(directory.path(name)) == expected, "\(name), \(mode), \(mask)")
            }
        }
        // What an overlay shows of its backing file is as private as that.
        let open = directory.path("open.qcow2")
        try Fixture.diskgraft("create", "-b", source, open)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: source)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: open)
        try Fixture.diskgraft("convert", "--parent", source, open, directory.path("flat.raw"))
        #expect(try Self.mode(directory.path("flat.raw")) == 0o600)
    }

    @Test func aMissingDirectoryIsNamed() throws {
        let directory = try TemporaryDirectory()
        try directory.write("disk.raw", [UInt8](repeating: 0, count: 1 << 20))
        func run(_ arguments: [String], expect: ClosedRange<Int32> = 1...1) throws -> String {
            try Tool.run(Fixture.command, arguments, directory: directory.root, expect: expect).errorText
        }
        for arguments in [["create", "-f", "vhd", "out/a.vhd", "1M"], ["convert", "disk.raw", "out/a.vhd"]] {
            #expect(try run(arguments).contains("the directory out is not there"), "\(arguments)")
        }
        let inFile = try run(["convert", "disk.raw", "disk.raw/a.vhd"])
        #expect(inFile.contains("the directory disk.raw is no directory"))
        let guest = try Fixture.guest(in: directory)
        for (destination, said, status) in [
            ("out/", "with a slash at its end the destination is a directory that exists", 64 as Int32),
            ("out/a.vhd", "the directory out is not there", 1),
        ] {
            let text = try run(["migrate", guest, destination, "--to", "hyperv"], expect: status...status)
            #expect(text.contains(said), "\(text)")
        }
        #expect(!FileManager.default.fileExists(atPath: directory.path("out")))
    }

    @Test(.enabled(if: Tool.has("flock"), "flock is not installed"))
    func whatAKilledRunLeftIsRemovedByTheNext() throws {
        let directory = try TemporaryDirectory()
        var random = SeededRandom(2)
        try directory.write("disk.raw", random.block(1 << 20))
        let left = [".copy.vhd.0123abcd.partial/copy.vhd", ".copy.vhd.4567cdef.partial/copy.vhd"]
        let others = [".copy.vhd.partial/x", ".other.vhd.0123abcd.partial/x"]
        for name in left + others { try directory.write(name, "half") }
        // One of them belongs to a run that goes on.
        try Tool.run(
            "flock",
            ["-n", ".copy.vhd.4567cdef.partial", Fixture.command, "convert", "disk.raw", "copy.vhd"],
            directory: directory.root)
        #expect(!FileManager.default.fileExists(atPath: directory.path(".copy.vhd.0123abcd.partial")))
        for name in [left[1]] + others {
            #expect(FileManager.default.fileExists(atPath: directory.path(name)), "\(name)")
        }
        try Fixture.diskgraft("convert", directory.path("disk.raw"), directory.path("copy.vhd"))
        #expect(!FileManager.default.fileExists(atPath: directory.path(".copy.vhd.4567cdef.partial")))
    }

    @Test(arguments: ["qcow2", "vhd", "vhdx", "vdi"])
    func aDiskByItselfIsNoParent(_ format: String) throws {
        let directory = try TemporaryDirectory()
        let (base, child) = (directory.path("base.\(format)"), directory.path("child.\(format)"))
        try Fixture.diskgraft("create", base, "8M")
        let lone = try Fixture.diskgraft("resize", base, "9M")
        #expect(lone.errorText == "", "\(lone.errorText)")
        try Fixture.diskgraft("create", "-b", base, child)
        let parent = try Fixture.diskgraft("resize", base, "10M", "--despite-children")
        #expect(parent.errorText.contains("child.\(format) beside it is a child of this image"))
        // The child itself has none.
        let own = try Fixture.diskgraft("resize", "--allow-siblings", child, "11M", expect: 0...2)
        #expect(!own.errorText.contains("is a child of this image"))
    }

    @Test(.enabled(if: LoopDevices.areThere, "needs root and loop devices"))
    func whatTheHostMayWriteToIsReadOnlyIfAsked() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.sparse("disk.img", byteCount: 8 << 20)
        let copy = directory.path("copy.qcow2")
        let device = try Tool.run("losetup", ["-f", "--show", path]).text.filter { $0 != "\n" }
        defer { _ = try? Tool.run("losetup", ["-d", device]) }
        for command in [["info", path], ["convert", path, copy]] {
            let refused = try Tool.run(Fixture.command, command, expect: 2...2)
            #expect(
                refused.errorText.contains(device) && refused.errorText.contains("-U reads it all the same"))
        }
        #expect(!FileManager.default.fileExists(atPath: copy))
        try Fixture.diskgraft("convert", "-U", path, copy)
    }
}
