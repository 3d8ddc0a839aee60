import Foundation
import TestSupport
import Testing

/// Guests with as much configuration as is read, and more: each command does its work within the memory that docs/limits.md says,
/// and the first signal ends it.
@Suite(.enabled(if: Tool.has("mke2fs", "debugfs"), "mke2fs or debugfs is missing"))
struct HostileGuestTests {
    /// What there is much of.
    enum Kind: String, CaseIterable {
        case rows, menus, entries, includes, cards, levels
    }

    private static let menu = "linux /boot/vmlinuz-6.1.0 root=/dev/sda1\ninitrd /boot/initrd.img-6.1.0\n"

    /// A volume with a guest.
    private static func guest(_ kind: Kind, in directory: TemporaryDirectory) throws -> String {
        func put(_ path: String, _ text: String) throws { try directory.write("tree/" + path, text) }
        try put("etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n")
        try put("boot/vmlinuz-6.1.0", "kernel")
        try put("boot/initrd.img-6.1.0", "-rom1fs-")
        var fstab = "/dev/sda / ext4 defaults 0 1\n"
        var grub = "menuentry 'one' {\n\(menu)}\n"
        switch kind {
        case .rows: fstab += (0..<4090).map { "/dev/sda /m\($0) ext4 noauto 0 0\n" }.joined()
        case .menus: grub = (0..<2000).map { "menuentry 'e\($0)' {\n\(menu)}\n" }.joined()
        case .entries:
            grub = "insmod blscfg\nblscfg\n"
            for index in 0..<2000 {
                try put(
                    "boot/loader/entries/e\(index).conf", "title e\(index)\n\(menu)options root=/dev/sda\n")
            }
        case .includes:
            let all = (0..<500).map { "INCLUDE m\($0).cfg\n" }.joined()
            for index in 0..<500 { try put("boot/syslinux/m\(index).cfg", all) }
            try put("boot/syslinux/syslinux.cfg", "LABEL linux\n LINUX /boot/vmlinuz-6.1.0\n" + all)
        case .cards:
            for index in 0..<4096 {
                try put(
                    "etc/NetworkManager/system-connections/e\(index).nmconnection",
                    "[connection]\nid=e\(index)\ntype=ethernet\ninterface-name=eth\(index)\n")
            }
        case .levels: break
        }
        try put("etc/fstab", fstab)
        try put("boot/grub/grub.cfg", grub)
        let path = directory.path("v.img")
        try Tool.run(
            "mke2fs",
            [
                "-q", "-F", "-O", "none,extent,filetype,sparse_super,large_file", "-I", "256", "-b", "4096",
                "-N", "12000", "-d",
                directory.path("tree"), path, "96M",
            ])
        if kind == .levels {
            let script = String(repeating: "mkdir d\ncd d\n", count: 5000)
            try Tool.run("debugfs", ["-w", "-f", "-", path], input: script)
        }
        return path
    }

    private static let commands = [
        ["inspect", "v.img"], ["plan", "--to", "kvm", "v.img"],
        ["ls", "-R", "--volume", "disk", "v.img", "/"],
        ["tar", "--volume", "disk", "v.img", "/"], ["check", "v.img"],
        ["convert", "-O", "qcow2", "v.img", "out.qcow2"],
        // The last two are not signalled: what stands then is tested elsewhere.
        ["migrate", "--to", "kvm", "-O", "raw", "v.img", "new.img"], ["patch", "--to", "kvm", "v.img"],
    ]

    /// What a signal ended exits with more than 128: an allocation that failed is a trap.
    @Test(arguments: Kind.allCases) func everyCommandKeepsItsMemory(_ kind: Kind) throws {
        let directory = try TemporaryDirectory()
        _ = try Self.guest(kind, in: directory)
        for arguments in Self.commands {
            let result = try Tool.run(
                "sh", ["-c", "ulimit -v \(256 << 10); \"$@\"; exit $?", "sh", Fixture.command] + arguments,
                directory: directory.root, expect: nil)
            #expect(result.status < 3, "\(arguments): \(result.status) \(result.errorText.prefix(300))")
        }
    }

    /// Whatever it is at: those that are quick may have ended by themselves.
    @Test(arguments: Kind.allCases) func theFirstSignalEndsEveryCommand(_ kind: Kind) throws {
        let directory = try TemporaryDirectory()
        let path = try Self.guest(kind, in: directory)
        let before = try fileBytes(path)
        for (arguments, number) in zip(Self.commands, [SIGINT, SIGTERM, SIGHUP, SIGINT, SIGTERM, SIGINT]) {
            let command = try RunningCommand(arguments, directory: directory.root)
            let isComputing = command.isComputing()
            let status = command.end(by: number)
            let allowed = isComputing ? [128 + number, 0, 1, 2] : [0, 1, 2]
            #expect(status.map(allowed.contains) == true, "\(arguments): \(String(describing: status))")
            if status == 128 + number {
                #expect(command.errorText.contains("interrupted"))
                #expect(!FileManager.default.fileExists(atPath: directory.path("out.qcow2")))
            }
            try? FileManager.default.removeItem(atPath: directory.path("out.qcow2"))
        }
        let isAsBefore = try fileBytes(path) == before
        #expect(isAsBefore)
    }

    /// Files that name each other are looked for so often and no more, which the plan says.
    @Test func menusThatIncludeEachOtherEnd() throws {
        let directory = try TemporaryDirectory()
        _ = try Self.guest(.includes, in: directory)
        let plan = try Tool.run(
            Fixture.command, ["plan", "--to", "kvm", "v.img"], directory: directory.root, expect: nil)
        #expect(plan.status == 2)
        #expect(
            (plan.text + plan.errorText).contains("names more further files than any real one"),
            "\(plan.text) \(plan.errorText)")
    }
}
