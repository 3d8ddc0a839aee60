import Foundation
import TestSupport
import Testing

/// What the fstab mounts and the tree has not: a file system that cannot be read, a disk that was not given, a UUID that
/// two volumes bear. Every command knows of it by one rule.
@Suite(.enabled(if: Tool.has("mke2fs", "sfdisk", "tar"), "tools are missing"))
struct MissingMountTests {
    enum Kind: CaseIterable { case unreadable, absent, twice }

    private static let uuid = "0d15c0de-1111-4222-8333-444455556666"

    /// A disk whose fstab mounts a UUID at /home, and the further disks.
    private static func guest(
        _ kind: Kind, options: String = "defaults", type: String = "ext4", mountPoint: String = "/home",
        in directory: TemporaryDirectory
    ) throws -> (image: String, with: [String]) {
        let image = try Fixture.root(
            [
                "etc/os-release": "ID=debian\n", "home/.keep": "below\n", "srv/x": "x\n",
                "etc/fstab": "UUID=\(uuid) \(mountPoint) \(type) \(options) 0 2\n",
            ], in: directory)
        switch kind {
        case .absent: return (image, [])
        case .twice:
            let disk = try directory.sparse("data.img", byteCount: 4 << 20)
            try Tool.run("mke2fs", ["-q", "-F", "-U", uuid, disk])
            try Tool.run("cp", ["--sparse=always", disk, directory.path("clone.img")])
            return (image, ["--with", disk, "--with", directory.path("clone.img")])
        case .unreadable:
            // A JFS superblock: its magic number and the UUID 136 bytes behind it.
            var block = [UInt8](repeating: 0, count: 4096)
            block.replaceSubrange(0..<4, with: Array("JFS1".utf8))
            let digits = Array(uuid.utf8).filter { $0 != UInt8(ascii: "-") }
            block.replaceSubrange(
                136..<152,
                with: stride(from: 0, to: 32, by: 2).map {
                    UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16) ?? 0
                })
            let disk = try directory.write(
                "jfs.img",
                [UInt8](repeating: 0, count: 32768) + block + [UInt8](repeating: 0, count: 4 << 20))
            return (image, ["--with", disk])
        }
    }

    private static func reason(_ kind: Kind) -> String {
        switch kind {
        case .unreadable: "holds jfs, whose files cannot be read here"
        case .absent: "no volume of the given disks has UUID"
        case .twice: "is not unique"
        }
    }

    /// Another machine's directory hides what lies below it: nothing is put there, and nothing of it is missing.
    @Test(arguments: [("nas:/export", "nfs"), ("//nas/share", "cifs"), ("tag", "virtiofs")])
    func sharesHideWhatLiesBelow(_ device: String, _ type: String) throws {
        let directory = try TemporaryDirectory()
        let image = try Fixture.root(
            [
                "etc/os-release": "ID=debian\n", "srv/x": "x\n",
                "etc/fstab": "\(device) /srv \(type) defaults 0 0\n",
            ], in: directory)
        let before = try fileBytes(image)
        let file = try directory.write("f", [1])
        for command in [
            ["put", image, file, "/srv/y"], ["mkdir", image, "/srv/d"], ["rm", "-r", image, "/srv"],
        ] {
            let refused = try Tool.run(Fixture.command, command, expect: 2...2).errorText
            #expect(refused.contains("it is another machine's directory"))
        }
        let isSame = try fileBytes(image) == before
        #expect(isSame)
        #expect(try Fixture.diskgraft("cat", image, "/srv/x").text == "x\n")
    }

    /// So does another directory of the guest's that is shown there, which is changed by its own name.
    @Test(arguments: ["bind", "defaults,rbind"])
    func bindMountsHideWhatLiesBelow(_ options: String) throws {
        let directory = try TemporaryDirectory()
        let image = try Fixture.root(
            [
                "etc/os-release": "ID=debian\n", "srv/x": "x\n", "var/data/y": "y\n", "tmp/z": "z\n",
                "etc/fstab": "/var/data /srv none \(options) 0 0\n/tmp /tmp none \(options) 0 0\n",
            ], in: directory)
        let before = try fileBytes(image)
        let file = try directory.write("f", [1])
        for command in [
            ["put", image, file, "/srv/new"], ["mkdir", image, "/srv/d"], ["rm", "-r", image, "/srv"],
            ["chmod", image, "600", "/srv/x"],
        ] {
            let refused = try Tool.run(Fixture.command, command, expect: 2...2).errorText
            #expect(refused.contains("/var/data") && refused.contains("by its own name"), "\(refused)")
        }
        let isSame = try fileBytes(image) == before
        #expect(isSame)
        #expect(try Fixture.diskgraft("cat", image, "/srv/x").text == "x\n")
        try Fixture.diskgraft("put", image, file, "/var/data/new")
        // What is shown at its own place hides nothing.
        try Fixture.diskgraft("put", image, file, "/tmp/new")
    }

    @Test(arguments: Kind.allCases) func readingSaysIt(_ kind: Kind) throws {
        let directory = try TemporaryDirectory()
        let (image, with) = try Self.guest(kind, in: directory)
        func run(_ command: [String], expect: Int32) throws -> Tool.Result {
            try Tool.run(
                Fixture.command, [command[0], image] + command.dropFirst() + with, directory: directory.root,
                expect: expect...expect)
        }
        let reason = Self.reason(kind)
        for command in [["ls", "/"], ["ls", "-l", "/"], ["ls", "--json", "/"]] {
            let listing = try run(command, expect: 0)
            #expect(listing.text.contains("home") && listing.errorText.contains(reason), "\(command)")
        }
        #expect(try run(["stat", "/home"], expect: 0).text.contains("directory"))
        for command in [
            ["ls", "/home"], ["ls", "/home/.keep"], ["cat", "/home/.keep"], ["stat", "/home/../home/x"],
        ] {
            #expect(try run(command, expect: 2).errorText.contains(reason), "\(command)")
        }
        for command in [["find", "/"], ["ls", "-R", "/"], ["find", "/home"]] {
            let walk = try run(command, expect: 1)
            #expect(walk.text.contains("/home\n") && !walk.text.contains(".keep"), "\(command)")
            #expect(walk.errorText.contains(reason) && walk.errorText.contains("left out"), "\(command)")
        }
        #expect(try run(["get", "/", "out"], expect: 1).errorText.contains(reason))
        #expect(FileManager.default.fileExists(atPath: directory.path("out/srv/x")))
        #expect(!FileManager.default.fileExists(atPath: directory.path("out/home/.keep")))
        let archive = try run(["tar", "/"], expect: 1)
        #expect(archive.errorText.contains(reason) && archive.text.contains("srv/x"))
        // Elsewhere nothing is said, and the way back out of it is a way.
        #expect(try run(["cat", "/srv/x"], expect: 0).errorText == "")
        #expect(try run(["cat", "/home/../srv/x"], expect: 0).text == "x\n")
        #expect(try run(["find", "/srv"], expect: 0).errorText == "")
        #expect(try run(["cat", "/home/.keep", "--volume", "p1"], expect: 0).text == "below\n")
    }

    @Test(arguments: Kind.allCases) func writingIsRefused(_ kind: Kind) throws {
        let directory = try TemporaryDirectory()
        let (image, with) = try Self.guest(kind, in: directory)
        let source = try directory.write("new", "new\n")
        try directory.write("tree/home/in", "in\n")
        let archive = directory.path("a.tar")
        try Tool.run("tar", ["-cf", archive, "-C", directory.path("tree"), "home/in"])
        let before = try fileBytes(image)
        for command in [
            ["put", image, source, "/home"], ["put", image, source, "/home/x"], ["mkdir", image, "/home"],
            ["mkdir", "-p", image, "/home"], ["mkdir", "-p", image, "/home/a/b"],
            ["mv", image, "/srv/x", "/home"],
            ["mv", image, "/home", "/house"], ["mv", image, "/home/.keep", "/srv"],
            ["ln", image, "/srv/x", "/home/x"], ["ln", "-s", image, "/srv/x", "/home"],
            ["mknod", image, "/home/p", "p"], ["rm", "-r", image, "/home"], ["rm", image, "/home/.keep"],
            ["rmdir", image, "/home"], ["chmod", image, "700", "/home"], ["chmod", "-R", image, "700", "/"],
            ["chown", "-R", image, "0", "/"], ["chown", image, "0", "/home/.keep"],
            ["untar", image, archive],
            ["untar", image, archive, "/home"], ["xattr", image, "/home", "--set", "user.a=b"],
        ] {
            let result = try Tool.run(Fixture.command, command + with, expect: 2...2)
            let text = result.errorText
            #expect(text.contains(Self.reason(kind)) && text.contains("--volume"), "\(command): \(text)")
            #expect(kind != .absent || text.contains("--with"), "\(command): \(text)")
        }
        let isUntouched = try fileBytes(image) == before
        #expect(isUntouched)
        try Tool.run(Fixture.command, ["put", image, source, "/srv/y"] + with)
        try Tool.run(Fixture.command, ["put", image, source, "/home/y", "--volume", "p1"] + with)
        #expect(try Fixture.diskgraft("ls", image, "/home", "--volume", "p1").text == ".keep\ny\n")
    }

    /// Rows that mount nothing at boot, or nothing at all.
    @Test(arguments: [("noauto", "ext4", "/home"), ("sw", "swap", "none"), ("sw", "swap", "/home")])
    func rowsThatDoNotCount(_ options: String, _ type: String, _ mountPoint: String) throws {
        let directory = try TemporaryDirectory()
        let (image, _) = try Self.guest(
            .absent, options: options, type: type, mountPoint: mountPoint, in: directory)
        let walk = try Fixture.diskgraft("find", image)
        #expect(walk.text.contains("/home/.keep\n") && walk.errorText == "")
        try Fixture.diskgraft("mkdir", image, "/home/a")
    }

    /// The system may be running without it, and then shows the directory below; or with it, and then hides the change.
    @Test func whatMayBeAbsentStopsWritingOnly() throws {
        let directory = try TemporaryDirectory()
        let (image, _) = try Self.guest(.absent, options: "defaults,nofail", in: directory)
        let walk = try Fixture.diskgraft("find", image)
        #expect(walk.text.contains("/home/.keep\n") && walk.errorText == "")
        #expect(
            try Fixture.diskgraft("mkdir", image, "/home/a", expect: 2...2).errorText.contains("--with"))
        let other = try TemporaryDirectory()
        let (unreadable, with) = try Self.guest(.unreadable, options: "nofail", in: other)
        _ = try Tool.run(Fixture.command, ["find", unreadable] + with, expect: 1...1)
    }

    /// A mount point that is reached through a link.
    @Test func aMountPointBehindALink() throws {
        let directory = try TemporaryDirectory()
        let (image, _) = try Self.guest(.absent, mountPoint: "/data/home", in: directory)
        try Fixture.diskgraft("ln", "-s", image, "/", "/data")
        #expect(
            try Fixture.diskgraft("cat", image, "/home/.keep", expect: 2...2).errorText.contains("/data/home")
        )
        try Fixture.diskgraft("rm", image, "/home/.keep", expect: 2...2)
    }
}
