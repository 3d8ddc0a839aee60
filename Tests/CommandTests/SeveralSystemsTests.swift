import TestSupport
import Testing

/// Disks that hold several systems, where none is named.
@Suite(.enabled(if: Tool.has("mke2fs", "sfdisk"), "tools are missing"))
struct SeveralSystemsTests {
    /// The disks of two systems; a clone has the same UUID.
    private static func disks(isClone: Bool, in directory: TemporaryDirectory) throws -> [String] {
        func files(_ name: String) -> [String: String] {
            ["etc/os-release": "ID=debian\n", "etc/hostname": name + "\n", "etc/fstab": "\n"]
        }
        let first = try Fixture.root(files("one"), name: "one", in: directory)
        let second = directory.path("two.img")
        if isClone {
            try Tool.run("cp", ["--sparse=always", first, second])
        } else {
            _ = try Fixture.root(files("two"), name: "two", in: directory)
        }
        return [first, "--with", second]
    }

    @Test(arguments: [false, true]) func changesAreRefused(_ isClone: Bool) throws {
        let directory = try TemporaryDirectory()
        let disks = try Self.disks(isClone: isClone, in: directory)
        let source = try directory.write("new", "new\n")
        let before = [try fileBytes(disks[0]), try fileBytes(disks[2])]
        for command in [
            ["put"] + disks + [source, "/etc/x"], ["rm"] + disks + ["/etc/hostname"],
            ["mkdir"] + disks + ["/etc/x"], ["chmod"] + disks + ["600", "/etc/hostname"],
            ["label"] + disks + ["name"], ["edit"] + disks + ["/etc/hostname"],
        ] {
            let text = try Tool.run(Fixture.command, command, expect: 2...2).errorText
            #expect(
                text.contains("p1, 2:p1") && text.contains("--root says which system is meant"), "\(text)")
        }
        let isUntouched = [try fileBytes(disks[0]), try fileBytes(disks[2])] == before
        #expect(isUntouched)
        try Tool.run(Fixture.command, ["put"] + disks + [source, "/etc/x", "--root", "2:p1"])
        #expect(try Fixture.diskgraft("cat", disks[2], "/etc/x").text == "new\n")
        try Tool.run(Fixture.command, ["put"] + disks + [source, "/etc/y", "--volume", "p1"])
        #expect(try Fixture.diskgraft("ls", disks[0], "/etc/y").text == "/etc/y\n")
    }

    @Test func aDiskWithoutASystem() throws {
        let directory = try TemporaryDirectory()
        let image = try Fixture.root(["music/x": "x\n"], in: directory)
        for command in [["ls", image], ["find", image], ["rm", image, "/music/x"]] {
            let text = try Tool.run(Fixture.command, command, expect: 2...2).errorText
            #expect(
                text.contains("p1 (ext") && text.contains("--volume") && text.contains("--with"), "\(text)")
        }
        #expect(try !Fixture.diskgraft("inspect", image, expect: nil).errorText.contains("--volume"))
        #expect(
            try !Fixture.diskgraft("plan", image, "--to", "kvm", expect: 2...2).errorText.contains("--volume")
        )
    }

    @Test(arguments: [false, true]) func readingTakesTheFirstAndSaysSo(_ isClone: Bool) throws {
        let directory = try TemporaryDirectory()
        let disks = try Self.disks(isClone: isClone, in: directory)
        for command in [
            ["cat"] + disks + ["/etc/hostname"], ["ls"] + disks, ["get"] + disks + ["/etc/hostname", "out"],
            ["find"] + disks, ["tar"] + disks, ["stat"] + disks + ["/"], ["xattr"] + disks + ["/"],
            ["label"] + disks,
        ] {
            let result = try Tool.run(Fixture.command, command, directory: directory.root)
            let text = result.errorText
            #expect(text.contains("p1, 2:p1") && text.contains("--root"), "\(command): \(text)")
        }
        #expect(try Tool.run(Fixture.command, ["cat"] + disks + ["/etc/hostname"]).text == "one\n")
        for more in [["--root", "2:p1"], ["--volume", "2:p1"]] {
            let named = try Tool.run(Fixture.command, ["cat"] + disks + ["/etc/hostname"] + more)
            #expect(named.text == (isClone ? "one\n" : "two\n") && named.errorText == "")
        }
    }
}
