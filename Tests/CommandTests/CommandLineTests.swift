import Foundation
import TestSupport
import Testing

struct CommandLineTests {
    /// (word, what the message says of it)
    @Test(arguments: [
        ("frobnicate", "there is no command \"frobnicate\""), ("conv", "did you mean convert?"),
    ])
    func aCommandThatThereIsNot(_ word: String, _ message: String) throws {
        let run = try Tool.run(Fixture.command, [word, "x.img"], expect: 64...64)
        #expect(run.errorText.contains(message))
    }

    @Test(arguments: [
        [], ["frobnicate"], ["info"], ["convert", "a"], ["plan", "x"],
        ["migrate", "only-one", "--to", "kvm"],
        ["patch", "x", "--to", "kvm", "--map", "nonsense"], ["ls"], ["info", "--no-such-flag", "x"],
    ])
    func usageErrorsExit64(_ arguments: [String]) throws {
        let result = try Tool.run(Fixture.command, arguments, expect: nil)
        // Without a subcommand the help is shown, which is no error.
        #expect(result.status == (arguments.isEmpty ? 0 : 64))
        #expect(!result.errors.isEmpty || arguments.isEmpty)
    }

    @Test(arguments: [
        "info", "ls", "cat", "inspect", "plan", "patch", "undo", "convert", "migrate", "put", "edit", "untar",
        "rm",
        "rmdir", "mv", "ln", "mkdir", "mknod", "chmod", "chown", "xattr", "label",
    ])
    func helpHasAnExample(_ command: String) throws {
        let help = try Fixture.diskgraft(command, "--help").text
        #expect(help.contains("diskgraft \(command) "))
        #expect(help.contains("Example:"))
    }

    @Test func versionIsPrinted() throws {
        #expect(try Fixture.diskgraft("--version").text.hasPrefix("diskgraft "))
    }

    @Test func whatIsNotThereOrNoImageIsSaidInOneSentence() throws {
        let directory = try TemporaryDirectory()
        let missing = directory.path("missing.vmdk")
        for arguments in [["info", missing], ["undo", missing], ["plan", missing, "--to", "kvm"]] {
            let result = try Tool.run(Fixture.command, arguments, expect: 1...1)
            #expect(result.errorText.contains("No such file"))
            #expect(result.errorText.split(separator: "\n").count == 1)
        }
        let text = try directory.write("letter.txt", "Dear reader,\n")
        let plan = try Tool.run(Fixture.command, ["plan", text, "--to", "kvm"], expect: 2...2)
        #expect(plan.errorText.contains("no Linux system was found"))
        try Fixture.diskgraft("info", directory.root, expect: 2...2)
        let empty = try directory.write("empty.img", "")
        try Fixture.diskgraft("info", empty, expect: 1...1)
        let unknown = try Tool.run(Fixture.command, ["plan", text, "--to", "bochs"], expect: 64...64)
        #expect(unknown.errorText.contains("hyperv"))
    }

    @Test func theSourceIsNeverTheDestination() throws {
        let directory = try TemporaryDirectory()
        let source = try directory.write("disk.img", [UInt8](repeating: 1, count: 1 << 20))
        try FileManager.default.createSymbolicLink(
            atPath: directory.path("link.img"), withDestinationPath: source)
        try FileManager.default.linkItem(atPath: source, toPath: directory.path("hard.img"))
        for name in ["disk.img", "link.img", "hard.img"] {
            let result = try Fixture.diskgraft("convert", source, directory.path(name), expect: 2...2)
            #expect(result.errorText.contains("source"))
        }
        #expect(try fileBytes(source).count == 1 << 20)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.root).count == 3)
    }

    @Test func aFullDiskLeavesNothing() throws {
        let directory = try TemporaryDirectory()
        let source = try directory.write("disk.img", [UInt8](repeating: 1, count: 8 << 20))
        let result = try Tool.run(
            "sh",
            [
                "-c", "ulimit -f 2000; exec \"$0\" convert \"$1\" \"$2\"", Fixture.command, source,
                directory.path("out.qcow2"),
            ],
            expect: 1...1)
        #expect(result.errorText.contains("write failed") || result.errorText.contains("ftruncate failed"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.root) == ["disk.img"])
    }

    @Test(arguments: ["INT", "TERM"])
    func anInterruptLeavesNothingHalfWritten(_ signal: String) throws {
        let directory = try TemporaryDirectory()
        let source = directory.path("disk.img")
        try Tool.run("sh", ["-c", "head -c 400000000 /dev/urandom > \"$0\"", source])
        let target = directory.path("out.vhd")
        let result = try Tool.run(
            "timeout", ["-s", signal, "0.1", Fixture.command, "convert", source, target], expect: nil)
        let names = Set(try FileManager.default.contentsOfDirectory(atPath: directory.root))
        if names.contains("out.vhd") {
            #expect(result.status == 0 || result.status == 124)
            try Tool.run("qemu-img", ["compare", "-F", "vpc", source, target])
        } else {
            #expect(names == ["disk.img"])
        }
    }

    @Test func hypervGeneration2NeedsVHDXAndUEFI() throws {
        let directory = try TemporaryDirectory()
        let guest = try Fixture.guest(in: directory)
        try Fixture.diskgraft("plan", guest, "--to", "hyperv-gen2", expect: 2...2)
    }

    @Test func volumesAndTheGuestsTree() throws {
        let directory = try TemporaryDirectory()
        let guest = try Fixture.guest(in: directory)
        #expect(try Fixture.diskgraft("ls", guest, "/boot/grub").text == "grub.cfg\n")
        #expect(try Fixture.diskgraft("ls", guest, "/grub", "--volume", "p1").text == "grub.cfg\n")
        #expect(try Fixture.diskgraft("ls", guest, "/boot", "--volume", "p3").text == "")
        #expect(try Fixture.diskgraft("cat", guest, "/etc/hostname").text == "web01\n")
        #expect(try Fixture.diskgraft("cat", guest, "/etc/grub2.cfg").text.contains("menuentry"))
        let wrong = try Fixture.diskgraft("ls", guest, "--volume", "p9", expect: 64...64)
        #expect(wrong.errorText.contains("p1, p2, p3"))
        try Fixture.diskgraft("cat", guest, "/etc/nothing", expect: 2...2)
        try Fixture.diskgraft("cat", guest, "/etc", expect: 2...2)
        let info = try Fixture.diskgraft("info", "--json", guest).text
        for word in [Fixture.rootUUID, Fixture.swapUUID, "\"dos\"", "\"virtual-size\" : 67110400"] {
            #expect(info.contains(word))
        }
    }

    /// A name that no order of disks explains: only the user can say which disk it was.
    @Test func mapPutsTheTreeTogether() throws {
        let directory = try TemporaryDirectory()
        let first = try Self.volume(
            directory, "root",
            [
                "etc/os-release": "ID=debian\nVERSION_ID=12\n",
                "etc/fstab": "LABEL=root / ext4 defaults 0 1\n/dev/hdg /srv ext4 defaults 0 2\n",
                "srv/.here": "",
            ])
        let second = try Self.volume(directory, "data", ["greeting": "hello\n"])
        let disks = [first, "--with", second]
        func run(_ arguments: [String], expect: ClosedRange<Int32> = 0...0) throws -> Tool.Result {
            try Tool.run(Fixture.command, arguments, expect: expect)
        }
        let refused = try run(["ls", first, "/srv", "--with", second], expect: 2...2).errorText
        #expect(refused.contains("--map /dev/hdg=N"))
        for map in [["--map", "/dev/hdg=2"], ["--map", "/dev/hdg=2", "--from", "vmware"]] {
            #expect(try run(["cat", first, "/srv/greeting", "--with", second] + map).text == "hello\n")
            for command in ["info", "inspect", "check", "undo"] { _ = try run([command] + disks + map) }
        }
        for command in ["info", "ls", "check", "undo", "inspect"] {
            _ = try run([command] + disks + ["--from", "bochs"], expect: 64...64)
            _ = try run([command] + disks + ["--map", "/dev/hdg=3"], expect: 64...64)
        }
    }

    /// One of the systems cannot start on the target: it is left alone, the other is repaired.
    @Test func oneOfSeveralSystemsIsRefused() throws {
        let directory = try TemporaryDirectory()
        func menu(_ kernel: String) -> String {
            "default 0\ntitle Linux\n\troot (hd0)\n\tkernel \(kernel) root=/dev/sda ro\n\tinitrd /boot/initrd\n"
        }
        let sound = try Self.volume(
            directory, "sound",
            [
                "etc/debian_version": "5.0\n", "etc/fstab": "/dev/sda / ext4 defaults 0 1\n",
                "boot/grub/menu.lst": menu("/boot/vmlinuz-2.6.26"), "boot/vmlinuz-2.6.26": "kernel",
                "boot/initrd": "-rom1fs-",
            ])
        let xen = try Self.volume(
            directory, "xen",
            [
                "etc/debian_version": "4.0\n", "etc/fstab": "/dev/sdb / ext4 defaults 0 1\n",
                "boot/grub/menu.lst": menu("/boot/vmlinuz-2.6.18-xen").replacingOccurrences(
                    of: "sda", with: "sdb"),
            ])
        func run(_ command: String, _ arguments: String..., expect: ClosedRange<Int32> = 0...0) throws
            -> String
        {
            let all = [command, sound, "--with", xen] + arguments
            let result = try Tool.run(Fixture.command, all, expect: expect)
            return result.text + result.errorText
        }
        let before = try fileBytes(xen)
        #expect(try run("plan", "--to", "kvm").contains("built for Xen"))
        #expect(try run("plan", "--to", "kvm", "--root", "2:disk", expect: 2...2).contains("built for Xen"))
        #expect(try run("plan", "--to", "kvm", "--root", "1:nothing", expect: 64...64).contains("disk"))
        #expect(try run("cat", "/etc/debian_version", "--root", "2:disk") == "4.0\n")
        #expect(try !run("plan", "--to", "kvm", "--root", "disk").contains("Xen"))
        _ = try run("patch", "--to", "kvm")
        #expect(try fileBytes(xen) == before)
        #expect(try run("cat", "/etc/fstab").hasPrefix("UUID="))
        #expect(try run("patch", "--to", "kvm").contains("nothing to do"))
        #expect(
            try run("patch", "--to", "kvm", "--root", "2:disk", expect: 2...2).contains("nothing is written"))
    }

    /// A whole disk with one ext4 file system of these files.
    private static func volume(
        _ directory: TemporaryDirectory, _ label: String, _ files: [String: String]
    ) throws -> String {
        let tree = directory.path(label)
        for (path, text) in files {
            let file = URL(fileURLWithPath: tree).appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        let image = directory.path(label + ".img")
        try Tool.run("mke2fs", ["-q", "-O", "extent,filetype", "-L", label, "-d", tree, image, "4M"])
        try Fixture.addBootCode(to: image)
        return image
    }
}
