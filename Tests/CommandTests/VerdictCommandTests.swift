import Foundation
import TestSupport
import Testing

/// What `plan`, `patch` and `migrate` say of a guest's boot, and how they end.
@Suite(.enabled(if: Tool.has("debugfs", "sfdisk", "mke2fs", "qemu-img"), "makers of guests are missing"))
struct VerdictCommandTests {
    private static let menu =
        "set default=0\nmenuentry 'Linux' {\n\tlinux /boot/vmlinuz-6.1.0 root=/dev/sda1 ro\n\tinitrd /boot/i\n}\n"

    private func root(
        _ files: [String: String] = [:], in directory: TemporaryDirectory, name: String = "guest"
    )
        throws -> String
    {
        let all = [
            "etc/os-release": "ID=debian\nVERSION_ID=12\nPRETTY_NAME=Debian\n",
            "etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n", "boot/grub/grub.cfg": Self.menu,
        ].merging(files) { $1 }
        return try Fixture.root(all, name: name, in: directory)
    }

    /// Runs all three, which must end alike, and gives what each said. What is refused changes and makes nothing.
    private func ends(
        _ disk: String, _ status: Int32, in directory: TemporaryDirectory, to target: String = "kvm"
    ) throws -> [String] {
        let before = try fileBytes(disk)
        let output = directory.path("new.img")
        let commands = [
            ["plan", disk], ["migrate", disk, output, "-O", "raw"], ["patch", disk],
        ]
        let said = try commands.map { command in
            let result = try Tool.run(
                Fixture.command, command + ["--to", target], expect: status...status)
            return result.text + result.errorText
        }
        #expect(FileManager.default.fileExists(atPath: output) == (status == 0))
        if status != 0 { #expect(try fileBytes(disk) == before) }
        return said
    }

    @Test func theThreeEndAlike() throws {
        let directory = try TemporaryDirectory()
        let lilo = try root(
            [
                "boot/grub/grub.cfg": "",
                "etc/lilo.conf": "boot=/dev/sda\nimage=/vmlinuz\n root=/dev/sda1\n label=L\n",
            ], in: directory, name: "lilo")
        for text in try ends(lilo, 2, in: directory) { #expect(text.contains("run lilo in the guest")) }
        let absent = try root(
            [
                "etc/fstab":
                    "/dev/sda1 / ext4 defaults 0 1\nUUID=0123abcd-1111-4222-8333-444455556666 /var ext4 defaults 0 2\n"
            ],
            in: directory, name: "absent")
        for text in try ends(absent, 2, in: directory) { #expect(text.contains("would stop at /var")) }
        _ = try ends(try root(in: directory, name: "sound"), 0, in: directory)
    }

    @Test func withoutBootCodeOnlyXenServerStartsIt() throws {
        let directory = try TemporaryDirectory()
        let disk = try root(in: directory)
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: disk))
        try file.write(contentsOf: Data([0, 0, 0]))
        try file.close()
        for text in try ends(disk, 2, in: directory) { #expect(text.contains("no disk has boot code")) }
        _ = try ends(disk, 0, in: directory, to: "xenserver")
    }

    /// A disk that lost its end: nothing in the image says so but what its table and its file system count on.
    @Test func aDiskThatIsCutOff() throws {
        let directory = try TemporaryDirectory()
        let whole = try root(in: directory)
        let cut = directory.path("cut.img")
        let length = try fileBytes(whole).count
        try Tool.run("cp", [whole, cut])
        try Tool.run("truncate", ["-s", "\(length - (length - (1 << 20)) / 2)", cut])
        for text in try ends(cut, 2, in: directory) { #expect(text.contains("the image is cut off")) }
        let warned = try Tool.run(Fixture.command, ["convert", cut, directory.path("o.qcow2")])
        #expect(warned.errorText.contains("ends behind the end of the disk"))
        let sound = try Tool.run(Fixture.command, ["convert", whole, directory.path("p.qcow2")])
        #expect(sound.errorText.isEmpty)
        // A fixed VHD is known by its last sector alone.
        let fixed = directory.path("fixed.vhd")
        try Tool.run(
            "qemu-img", ["convert", "-O", "vpc", "-o", "subformat=fixed,force_size", whole, fixed])
        try Tool.run("truncate", ["-s", "-1M", fixed])
        let refused = try Tool.run(
            Fixture.command, ["convert", fixed, directory.path("q.qcow2")], expect: 2...2)
        #expect(refused.errorText.contains("it is cut off, or a plain disk under that name"))
        try Tool.run(Fixture.command, ["convert", "-f", "raw", fixed, directory.path("q.qcow2")])
    }

    @Test func unpatchedCopiesWhatCannotBeJudged() throws {
        let directory = try TemporaryDirectory()
        let empty = try directory.sparse("fs", byteCount: 4 << 20)
        let disk = try Fixture.disk(empty, type: "a5", in: directory)
        let output = directory.path("copy.img")
        let refused = try Tool.run(
            Fixture.command, ["migrate", disk, output, "--to", "kvm", "-O", "raw"], expect: 2...2)
        #expect(refused.errorText.contains("FreeBSD") && !refused.errorText.contains("--with"))
        #expect(!FileManager.default.fileExists(atPath: output))
        let copied = try Fixture.diskgraft("migrate", "--unpatched", disk, output, "--to", "kvm", "-O", "raw")
        #expect(copied.errorText.contains("FreeBSD") && copied.text.contains("copied as they are"))
        #expect(try fileBytes(output) == fileBytes(disk))

        // What could be patched stays as it is too, and its plan is shown.
        let guest = try root(in: directory, name: "sound")
        try FileManager.default.removeItem(atPath: output)
        let plain = try Fixture.diskgraft("migrate", "--unpatched", guest, output, "--to", "kvm", "-O", "raw")
        #expect(plain.text.contains("change: /dev/sda1 → UUID="))
        #expect(try fileBytes(output) == fileBytes(guest))
    }

    @Test func theSummaryComesBeforeTheDiff() throws {
        let directory = try TemporaryDirectory()
        let disk = try root(in: directory)
        func plan(_ flags: String...) throws -> String {
            try Tool.run(Fixture.command, ["plan", disk, "--to", "kvm"] + flags).text
        }
        let all = try plan()
        let lines = all.split(separator: "\n")
        #expect(lines[0] == "Debian: to kvm")
        #expect(
            lines[1] == "boots: yes, with these edits, if the drivers are there, which is not known: “Linux”")
        #expect(
            lines[2].hasPrefix(
                "machine: firmware: BIOS; boot disk behind virtio-blk; disk 1 has the boot loader"))
        let summary = try plan("--no-diff")
        let diff = try plan("--diff")
        #expect(all == summary + diff && diff.hasPrefix("--- a/") && !summary.contains("@@"))
    }

    @Test func aCopyOfTheGuestIsLeftAlone() throws {
        let directory = try TemporaryDirectory()
        let disk = try root(in: directory)
        let copy = directory.path("copy.img")
        try FileManager.default.copyItem(atPath: disk, toPath: copy)
        let before = try fileBytes(copy)
        let said = try Fixture.diskgraft("patch", disk, "--with", copy, "--to", "kvm")
        #expect(said.text.contains("2:p1 and p1 have the same UUID"))
        #expect(try fileBytes(copy) == before)
        // Chosen, it is planned for like any other, and the first one is what is left as it is.
        let chosen = try Fixture.diskgraft(
            "plan", disk, "--with", copy, "--to", "kvm", "--root", "2:p1", expect: nil)
        #expect(chosen.text.contains("p1 and 2:p1 have the same UUID"))
        #expect(chosen.text.contains("p1 is left as it is"))
    }

    @Test(arguments: ["qcow2", "vmdk"])
    func aChildBesideItsBaseIsWarnedOf(_ format: String) throws {
        let directory = try TemporaryDirectory()
        let raw = try root(in: directory)
        let base = directory.path("base.\(format)")
        try Tool.run("qemu-img", ["convert", "-O", format, raw, base])
        #expect(try !Fixture.diskgraft("plan", base, "--to", "kvm").text.contains("child"))
        try Tool.run(
            "qemu-img",
            ["create", "-q", "-f", format, "-b", base, "-F", format, directory.path("snapshot.\(format)")])
        #expect(
            try Fixture.diskgraft("plan", base, "--to", "kvm").text.contains(
                "snapshot.\(format) beside it is a child"))
        let refused = try Fixture.diskgraft("patch", base, "--to", "kvm", expect: 2...2)
        #expect(refused.errorText.contains("--despite-children"))
        let converted = try Fixture.diskgraft("convert", base, directory.path("out.raw"))
        #expect(converted.errorText.contains("snapshot.\(format) beside it is a child"))
        let migrated = try Fixture.diskgraft("migrate", base, directory.path("out.vhd"), "--to", "hyperv")
        #expect(migrated.text.contains("snapshot.\(format)"))
    }
}
