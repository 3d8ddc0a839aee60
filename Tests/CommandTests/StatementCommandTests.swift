import Foundation
import TestSupport
import Testing

/// What is said on the command line of disks, cards and formats, and how the commands end.
@Suite(.enabled(if: Tool.has("debugfs", "sfdisk", "mke2fs", "qemu-img"), "makers of guests are missing"))
struct StatementCommandTests {
    private func guest(_ files: [String: String] = [:], in directory: TemporaryDirectory) throws -> String {
        let all = [
            "etc/os-release": "ID=debian\nVERSION_ID=12\nPRETTY_NAME=Debian\n",
            "etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n",
            "boot/grub/grub.cfg":
                "set default=0\nmenuentry 'Linux' {\n\tlinux /boot/vmlinuz-6.1.0 root=/dev/sda1 ro\n\tinitrd /boot/i\n}\n",
            "boot/vmlinuz-6.1.0": "kernel", "boot/i": "-rom1fs-",
        ].merging(files) { $1 }
        return try Fixture.root(all, name: "guest", in: directory)
    }

    @Test(arguments: [
        ["=1"], ["/dev/zzz=1"], ["/etc/passwd=1"], ["/dev/sda =1"], ["/dev/sda1=1"], ["/dev/mapper/x=1"],
        ["/dev/sdb=2"], ["/dev/sda=1", "/dev/sda=2"], ["/dev/sda=1", "/dev/sdb=1"], ["/dev/sda"],
    ])
    func wordsThatAreNoDisk(_ maps: [String]) throws {
        let directory = try TemporaryDirectory()
        let disk = try guest(in: directory)
        for command in [["plan", disk, "--to", "kvm"], ["ls", disk, "/"]] {
            try Tool.run(Fixture.command, command + maps.flatMap { ["--map", $0] }, expect: 64...64)
        }
    }

    @Test func aDiskMayBeNamedTwiceAlike() throws {
        let directory = try TemporaryDirectory()
        let disk = try guest(in: directory)
        for maps in [["/dev/sda=1", "/dev/sda=1"], ["/dev/sda=1", "/dev/hda=1"]] {
            try Tool.run(
                Fixture.command, ["plan", disk, "--to", "kvm"] + maps.flatMap { ["--map", $0] })
        }
    }

    /// Xen hands partitions over as disks of their own; elsewhere a partition is no disk.
    @Test func partitionsOfXen() throws {
        let directory = try TemporaryDirectory()
        let disk = try guest(
            ["etc/fstab": "/dev/xvda2 / ext4 defaults 0 1\n"], in: directory)
        for (maps, status) in [
            (["/dev/xvda2=1"], 0), (["/dev/sda2=1", "--from", "xenserver"], 0), (["/dev/sda2=1"], 64),
            (["/dev/xvda2=2"], 64),
        ] {
            try Tool.run(
                Fixture.command, ["ls", disk, "/", "--map"] + maps, expect: Int32(status)...Int32(status))
        }
    }

    /// What is asked for is not left out at the same time.
    @Test(arguments: [
        ["--mac", "ens192=52:54:00:12:34:56", "--skip", "net"],
        ["--mac", "ens192=52:54:00:12:34:56", "--only", "names"], ["--fix", "net", "--skip", "net"],
    ])
    func whatIsAskedForAndLeftOut(_ words: [String]) throws {
        let directory = try TemporaryDirectory()
        let disk = try guest(in: directory)
        for command in ["plan", "patch"] {
            let result = try Tool.run(
                Fixture.command, [command, disk, "--to", "kvm"] + words, expect: 64...64)
            #expect(String(decoding: result.errors, as: UTF8.self).contains("left out"))
        }
    }

    @Test func theFirstDiskIsTheFirst() throws {
        let directory = try TemporaryDirectory()
        let disk = try guest(in: directory)
        try Tool.run(Fixture.command, ["plan", disk, "--to", "kvm", "--root", "1:p1"])
        try Tool.run(Fixture.command, ["plan", disk, "--to", "kvm", "--root", "2:p1"], expect: 64...64)
    }

    /// Nobody knows: what is right by itself is written, and another status would say that nothing was.
    @Test func nobodyKnowsIsNoRefusal() throws {
        let directory = try TemporaryDirectory()
        let disk = try guest(
            ["boot/grub/grub.cfg": "", "boot/vmlinuz-6.1.0": "", "boot/i": ""], in: directory)
        let copy = directory.path("copy.qcow2")
        for command in [["plan", disk], ["migrate", disk, copy], ["patch", disk], ["patch", disk]] {
            let result = try Tool.run(Fixture.command, command + ["--to", "kvm"], expect: nil)
            let text = result.text + result.errorText
            #expect(result.status == (text.contains("boots: not known") ? 0 : 2), "\(command): \(text)")
        }
    }

    @Test func migrationsAsData() throws {
        let directory = try TemporaryDirectory()
        let disk = try guest(in: directory)
        let copy = directory.path("copy.qcow2")
        let result = try Tool.run(Fixture.command, ["migrate", disk, copy, "--to", "kvm", "--json"])
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any])
        let outputs = try #require(report["outputs"] as? [[String: String]])
        #expect(outputs == [["source": disk, "path": copy]])
        let systems = (report["plan"] as? [String: Any])?["systems"] as? [Any]
        #expect(systems?.count == 1)
        let measured = try Tool.run(Fixture.command, ["measure", "-O", "qcow2", disk, "--json"])
        #expect(
            measured.text
                == (try Tool.run(Fixture.command, ["measure", "-O", "qcow2", disk, "--output=json"])).text)
    }

    /// Azure opens VHDs alone: another copy is made as it was asked for, and said to be useless there.
    @Test func aFormatThatTheTargetDoesNotOpen() throws {
        let directory = try TemporaryDirectory()
        let disk = try guest(in: directory)
        let words = "azure opens vhd alone, and this is a qcow2"
        // Azure's own format takes larger disks than this one.
        for (name, target, isSaid) in [("copy.qcow2", "azure", true), ("copy.vhd", "hyperv", false)] {
            let result = try Tool.run(
                Fixture.command, ["migrate", disk, directory.path(name), "--to", target])
            #expect(result.errorText.contains(words) == isSaid, "\(result.errorText)")
        }
    }

    /// Reading a base changes nothing: only a plan says that a change would break its child.
    @Test func aCopyOfABaseBreaksNothing() throws {
        let directory = try TemporaryDirectory()
        let base = directory.path("base.qcow2")
        try Tool.run("qemu-img", ["convert", "-O", "qcow2", try guest(in: directory), base])
        try Tool.run(
            "qemu-img",
            ["create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", directory.path("child.qcow2")])
        let copied = try Tool.run(Fixture.command, ["convert", base, directory.path("o.raw")])
        #expect(copied.errorText.contains("is a child") && !copied.errorText.contains("breaks it"))
        let plan = try Tool.run(Fixture.command, ["plan", base, "--to", "kvm"])
        #expect((plan.text + plan.errorText).contains("breaks it"))
    }

    @Test func theHelpListsWhatIsAskedFor() throws {
        let help = try Tool.run(Fixture.command, ["plan", "--help"]).text
        for word in ["net", "xorg", "clock", "tools", "debconf"] { #expect(help.contains(word)) }
    }
}
