import Foundation
import Storage
import TestSupport
import Testing

@testable import DiskGraft

/// What is known of a guest once a plan is carried out is known before anything is written.
@Suite(.enabled(if: Tool.has("sfdisk", "mke2fs"), "makers of guests are missing"))
struct RehearsalTests {
    private static func grub2Menu(_ kernel: String) -> String {
        "set default=0\nmenuentry 'X' {\n\tlinux /boot/\(kernel) root=/dev/xvda1 ro\n\tinitrd /boot/initrd.img-6.1\n}\n"
    }

    private static let legacyMenu =
        "default 0\ntitle old\nroot (hd0,0)\nkernel /boot/vmlinuz-6.1 root=/dev/xvda1 ro\ninitrd /boot/initrd.img-6.1\n"

    /// A disk with GRUB 2's code in its first sector, and two menus: the legacy one is good.
    private func guest(_ kernel: String, name: String, in directory: TemporaryDirectory) throws -> String {
        let disk = try Fixture.root(
            [
                "etc/os-release": "ID=debian\nVERSION_ID=12\nPRETTY_NAME=Debian\n",
                "etc/fstab": "/dev/xvda1 / ext4 defaults 0 1\n",
                "boot/grub/grub.cfg": Self.grub2Menu(kernel), "boot/grub/menu.lst": Self.legacyMenu,
                "boot/vmlinuz-6.1": "kernel", "boot/initrd.img-6.1": Fixture.emptyArchive,
            ], name: name, in: directory)
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: disk))
        try file.seek(toOffset: 0x180)
        try file.write(contentsOf: Data("GRUB \0Geom\0Hard Disk\0Read\0 Error\r\n\0".utf8))
        try file.close()
        return disk
    }

    /// Names of Xen's kind, which the plan replaces, do not make another menu the one that counts.
    @Test(arguments: [[], ["--controller", "ide"], ["--from", "xenserver"]])
    func theMenuOfTheBootCodeCounts(_ more: [String]) throws {
        let directory = try TemporaryDirectory()
        let dead = try guest("vmlinuz-gone", name: "dead", in: directory)
        let before = try fileBytes(dead)
        let output = directory.path("o.img")
        for command in [["plan", dead], ["patch", dead], ["migrate", dead, output, "-O", "raw"]] {
            let result = try Tool.run(
                Fixture.command, command + ["--to", "xenserver"] + more, expect: 2...2)
            #expect((result.text + result.errorText).contains("vmlinuz-gone"))
            #expect(try fileBytes(dead) == before)
        }
        #expect(!FileManager.default.fileExists(atPath: output))
        let inspected = try Tool.run(Fixture.command, ["inspect", dead])
        #expect(!inspected.text.contains("→ /boot/grub/menu.lst"))
        let sound = try guest("vmlinuz-6.1", name: "sound", in: directory)
        try Tool.run(Fixture.command, ["patch", sound, "--to", "xenserver"] + more)
        let again = try Tool.run(Fixture.command, ["plan", sound, "--to", "xenserver"] + more)
        #expect(again.text.contains("nothing to do"))
    }

    /// The plan takes over what is planned for the guest that it leaves, whatever that comes from.
    @Test func whatIsKnownAfterTheChangesIsKnownBefore() throws {
        let directory = try TemporaryDirectory()
        func plan(_ disk: String) throws -> GuestPlan {
            try Guest.open([disk], options: ImageOptions(format: .raw)).planned(
                PlanOptions(target: .kvm))
        }
        let sound = try guest("vmlinuz-6.1", name: "sound", in: directory)
        let first = try plan(sound)
        #expect(!first.isEmpty && first.refusal == nil)
        let refused = first.heeding(try plan(guest("vmlinuz-gone", name: "dead", in: directory)))
        #expect(refused.isEmpty && !refused.boots)
        #expect(refused.plans.first?.refusal?.code == .afterChanges)
        #expect(
            refused.refusal?.contains("once the plan's changes are made") == true
                && refused.refusal?.contains("vmlinuz-gone") == true)
        // What still wants changes would be changed twice.
        #expect(first.heeding(first).plans.first?.refusal?.code == .wouldChangeAgain)
        try Tool.run(Fixture.command, ["patch", sound, "--to", "kvm"])
        let after = try plan(sound)
        #expect(after.isEmpty)
        let kept = first.heeding(after)
        #expect(kept.refusal == nil && kept.boots && !kept.isEmpty)
        // A plan is carried out in memory before it is shown.
        let other = try guest("vmlinuz-6.1", name: "other", in: directory)
        let opened = try Guest.open([other], options: ImageOptions(format: .raw))
        let options = PlanOptions(target: .kvm)
        let done = try opened.plan(options)
        #expect(!done.isEmpty && done.refusal == nil)
    }

    /// What would keep a plan from being carried out shows in the plan, in the words and with the exit status of patch and migrate.
    @Test(
        .enabled(if: Tool.has("debugfs"), "debugfs is missing"),
        arguments: [("flags 0x10", "immutable"), ("flags 0x20", "appended to")])
    func whatAVolumeDoesNotTakeIsSaidBefore(_ field: String, _ word: String) throws {
        let directory = try TemporaryDirectory()
        let disk = try guest("vmlinuz-6.1", name: "fixed", in: directory)
        try Tool.run(
            "debugfs", ["-w", "-R", "sif /etc/fstab \(field)", "\(disk)?offset=\(1 << 20)"])
        let before = try fileBytes(disk)
        let output = directory.path("o.img")
        var sentences: Set<String> = []
        for command in [["plan", disk], ["patch", disk], ["migrate", disk, output, "-O", "raw"]] {
            let result = try Tool.run(Fixture.command, command + ["--to", "kvm"], expect: 2...2)
            let text = result.text + result.errorText
            let sentence = text.split(separator: "\n").first { $0.contains("cannot take the changes") }
            #expect(sentence?.contains("p1 cannot take the changes: /etc/fstab: ") == true, "\(text)")
            #expect(text.contains(word))
            sentences.insert(
                sentence.map { $0.split(separator: "p1 cannot").last.map(String.init) ?? "" } ?? "")
            #expect(try fileBytes(disk) == before)
            #expect(!FileManager.default.fileExists(atPath: output))
        }
        #expect(sentences.count == 1)
        let json = try Tool.run(Fixture.command, ["plan", disk, "--to", "kvm", "--json"], expect: 2...2)
        #expect(json.text.contains("\"cannot-take-changes\""))
    }
}
