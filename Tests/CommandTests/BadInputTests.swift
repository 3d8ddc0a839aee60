import Foundation
import TestSupport
import Testing

/// Guests that cannot be repaired: a verdict that says so and what can be done, and not one byte written.
@Suite(
    .enabled(if: Tool.has("debugfs", "sfdisk", "mke2fs", "mkswap", "mkfs.vfat"), "judges are missing"))
struct BadInputTests {
    private func digest(_ path: String) throws -> String { try Tool.run("sha256sum", [path]).text }

    /// Plan and patch refuse with those words, write nothing and leave no record.
    private func refuses(
        _ disk: String, _ words: [String], to target: String = "kvm", with more: [String] = [],
        _ place: SourceLocation = #_sourceLocation
    ) throws {
        let before = try digest(disk)
        for command in ["plan", "patch"] {
            let result = try Tool.run(
                Fixture.command, [command, disk, "--to", target] + more, expect: 2...2)
            let output = result.text + result.errorText
            for word in words {
                #expect(output.contains(word), "“\(word)” in: \(output)", sourceLocation: place)
            }
        }
        #expect(try digest(disk) == before, sourceLocation: place)
        #expect(!FileManager.default.fileExists(atPath: disk + ".undo"), sourceLocation: place)
    }

    @Test(.enabled(if: Tool.has("mkfs.xfs"), "xfsprogs is not installed"))
    func anXFSRoot() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.sparse("xfs", byteCount: 320 << 20)
        try Tool.run("mkfs.xfs", ["-q", file])
        try refuses(
            try Fixture.disk(file, type: "83", in: directory),
            ["no Linux system was found on p1 (xfs)", "every disk of the guest is needed"])
    }

    @Test(.enabled(if: Tool.has("mkfs.btrfs"), "btrfs-progs is not installed"))
    func aBtrfsRoot() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.sparse("btrfs", byteCount: 128 << 20)
        try Tool.run("mkfs.btrfs", ["-q", file])
        try refuses(
            try Fixture.disk(file, type: "83", in: directory),
            ["no Linux system was found on p1 (btrfs)", "UUID= names in the running guest"])
    }

    @Test func anEncryptedRoot() throws {
        let directory = try TemporaryDirectory()
        var header = Array("LUKS".utf8) + [0xba, 0xbe, 0, 1]
        header += [UInt8](repeating: 0, count: 168 - header.count)
        header += Array("0123abcd-1111-4222-8333-444455556666".utf8)
        let file = try directory.write(
            "luks", header + [UInt8](repeating: 0, count: (4 << 20) - header.count))
        try refuses(
            try Fixture.disk(file, type: "83", in: directory),
            ["no Linux system was found on p1 (crypto_LUKS)", "UUID= names in the running guest"])
    }

    @Test func nothingAtAll() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.sparse("empty", byteCount: 4 << 20)
        try refuses(
            try Fixture.disk(file, type: "83", in: directory), ["no Linux system was found", "--with"])
    }

    @Test func aSuspendedGuest() throws {
        let directory = try TemporaryDirectory()
        let guest = try Fixture.guest(in: directory)
        let handle = try #require(FileHandle(forWritingAtPath: guest))
        try handle.seek(toOffset: Fixture.swapOffset + 4086)
        try handle.write(contentsOf: Data("S1SUSPEND\0".utf8))
        try handle.close()
        try refuses(guest, ["p2 holds a suspended system", "start the guest and shut it down first"])
        // Nor is a file of it changed, whose old blocks it has in its memory.
        let before = try fileBytes(guest)
        let given = try directory.write("given", [1])
        for arguments in [
            ["put", guest, given, "/etc/new"], ["put", "--volume", "p3", guest, given, "/etc/new"],
            ["rm", guest, "/etc/fstab"], ["chmod", guest, "600", "/etc/fstab"],
            ["mv", guest, "/etc/fstab", "/etc/old"], ["mkdir", guest, "/new"],
            ["label", "--volume", "p3", guest, "new"],
        ] {
            let refused = try Tool.run(Fixture.command, arguments, expect: 2...2)
            #expect(refused.errorText.contains("p2 holds a suspended system"), "\(arguments)")
        }
        #expect(try fileBytes(guest) == before)
        try Fixture.diskgraft("cat", guest, "/etc/fstab")
    }

    @Test func aLoaderThatIsNotKnown() throws {
        let directory = try TemporaryDirectory()
        let guest = try Fixture.root(
            [
                "etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n",
                "etc/os-release": "ID=debian\nVERSION_ID=12\n",
                "boot/vmlinuz-6.1.0-1-amd64": "kernel",
                "boot/elilo.conf": "image=vmlinuz-6.1.0-1-amd64\n\tappend=\"root=/dev/sda1\"\n",
            ], in: directory)
        try refuses(guest, ["boot loader is none that is known here", "install GRUB"])
    }

    /// NTFS' own signature is enough to tell; the target decides which driver is missed.
    @Test(arguments: [
        ("kvm", "viostor"), ("hyperv", "intelide and atapi"), ("vmware", "LSI_SCSI"), ("xenserver", "xenvbd"),
        ("hyperv-gen2", "storvsc"), ("aws", "stornvme"),
    ])
    func aWindowsGuest(_ target: String, _ driver: String) throws {
        let directory = try TemporaryDirectory()
        var boot = [UInt8](repeating: 0, count: 4 << 20)
        boot.replaceSubrange(0..<11, with: [0xeb, 0x52, 0x90] + Array("NTFS    ".utf8))
        boot.replaceSubrange(11..<14, with: [0, 2, 8])
        boot[0x15] = 0xf8
        boot.replaceSubrange(0x28..<0x30, with: [0xff, 0x1f, 0, 0, 0, 0, 0, 0])
        boot.replaceSubrange(0x30..<0x38, with: [4, 0, 0, 0, 0, 0, 0, 0])
        boot.replaceSubrange(0x38..<0x40, with: [2, 0, 0, 0, 0, 0, 0, 0])
        boot[0x40] = 0xf6
        boot[0x44] = 1
        boot.replaceSubrange(0x48..<0x50, with: [1, 2, 3, 4, 5, 6, 7, 8])
        boot.replaceSubrange(510..<512, with: [0x55, 0xaa])
        let file = try directory.write("ntfs", boot)
        try refuses(
            try Fixture.disk(file, type: "07", in: directory),
            ["0x7B", driver, "nothing of Windows is changed"],
            to: target)
    }

    /// A BIOS guest has nothing that generation 2 could start.
    @Test func firmwareAndControllersThatAreNotThere() throws {
        let directory = try TemporaryDirectory()
        let guest = try Fixture.guest(in: directory)
        try refuses(guest, ["UEFI", "--to hyperv has a BIOS"], to: "hyperv-gen2")
        try refuses(
            guest, ["hyperv has no pvscsi controller, only ide, storvsc"], to: "hyperv",
            with: ["--controller", "pvscsi"])
    }

    /// One system that cannot be repaired does not keep another from it; `--root` says which is meant.
    @Test func oneOfTwoSystems() throws {
        let directory = try TemporaryDirectory()
        let good = try Fixture.root(
            [
                "etc/os-release": "ID=debian\nVERSION_ID=12\nPRETTY_NAME=Good\n",
                "etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n",
                "boot/grub/grub.cfg": "menuentry A { linux /vmlinuz-6.1.0 root=/dev/sda1\n initrd /i\n}\n",
            ], name: "good", in: directory)
        let bad = try Fixture.root(
            [
                "etc/os-release": "ID=debian\nVERSION_ID=4\nPRETTY_NAME=Bad\n",
                "etc/fstab": "/dev/sdb1 / ext3 defaults 0 1\n",
                "boot/grub/menu.lst": "title X\nkernel /vmlinuz-2.6.18-xen root=/dev/sdb1\ninitrd /i\n",
            ], name: "bad", in: directory)
        let disks = [good, "--with", bad]
        let before = try digest(bad)
        try refuses(good, ["Xen's own interface", "Bad"], with: ["--with", bad, "--root", "2:p1"])
        let wrong = try Tool.run(
            Fixture.command, ["plan"] + disks + ["--to", "kvm", "--root", "p7"], expect: 64...64)
        #expect(wrong.errorText.contains("p1, 2:p1"))
        let all = try Tool.run(Fixture.command, ["plan"] + disks + ["--to", "kvm"])
        #expect(all.errorText.contains("Bad on 2:p1 is left as it is"))
        let one = try Tool.run(Fixture.command, ["patch"] + disks + ["--to", "kvm", "--root", "p1"])
        #expect(one.text.contains("root=UUID=") && !one.text.contains("Bad"))
        #expect(try digest(bad) == before)
        #expect(
            try Tool.run(Fixture.command, ["patch"] + disks + ["--to", "kvm"]).text.contains("nothing to do"))
        #expect(try Tool.run(Fixture.command, ["cat", bad, "/etc/os-release"]).text.contains("Bad"))
        let list = try Tool.run(Fixture.command, ["inspect"] + disks).text
        #expect(list.contains("Good") && list.contains("Bad"))
    }

    /// Two systems share their /boot: its menu is written once, with the names of both.
    @Test func twoSystemsWithOneBoot() throws {
        let directory = try TemporaryDirectory()
        let boot = directory.path("boot")
        try directory.write(
            "boot-tree/grub/grub.cfg",
            "menuentry A { linux /vmlinuz-6.1.0 root=/dev/sda2\n initrd /i\n}\nmenuentry B { linux /vmlinuz-6.2.0 root=/dev/sda3\n initrd /i\n}\n"
        )
        for name in ["vmlinuz-6.1.0", "vmlinuz-6.2.0", "i"] {
            try directory.write("boot-tree/\(name)", name == "i" ? "-rom1fs-" : "stand-in")
        }
        try Fixture.fileSystem(boot, directory.path("boot-tree"))
        let disk = try directory.sparse("disk.img", byteCount: 26 << 20)
        try Tool.run(
            "sfdisk", ["-q", "--no-reread", "--no-tell-kernel", disk],
            input: "label: dos\nstart=2048, size=16384\nstart=18432, size=16384\nstart=34816, size=16384\n")
        for (number, title) in [(2, "One"), (3, "Two")] {
            try directory.write(
                "root\(number)/etc/os-release", "ID=debian\nVERSION_ID=12\nPRETTY_NAME=\(title)\n")
            try directory.write(
                "root\(number)/etc/fstab",
                "/dev/sda\(number) / ext4 defaults 0 1\n/dev/sda1 /boot ext4 defaults 0 2\n")
            try directory.write("root\(number)/boot/.empty", "")
            try Fixture.fileSystem(directory.path("fs\(number)"), directory.path("root\(number)"))
        }
        for (number, file) in [(1, boot), (2, directory.path("fs2")), (3, directory.path("fs3"))] {
            try Tool.run(
                "dd",
                [
                    "if=\(file)", "of=\(disk)", "bs=1M", "seek=\(1 + (number - 1) * 8)",
                    "conv=notrunc,sparse", "status=none",
                ])
        }
        try Fixture.addBootCode(to: disk)
        try Fixture.diskgraft("patch", disk, "--to", "kvm")
        let menu = try Fixture.diskgraft("cat", disk, "/grub/grub.cfg", "--volume", "p1").text
        #expect(menu.split(separator: "root=UUID=").count == 3)
        #expect(try Fixture.diskgraft("cat", disk, "/etc/fstab", "--root", "p3").text.hasPrefix("UUID="))
        #expect(try Fixture.diskgraft("patch", disk, "--to", "kvm").text.contains("nothing to do"))
        try Fixture.diskgraft("undo", disk)
        #expect(
            try Fixture.diskgraft("cat", disk, "/grub/grub.cfg", "--volume", "p1").text.contains(
                "root=/dev/sda3"))
    }
}
