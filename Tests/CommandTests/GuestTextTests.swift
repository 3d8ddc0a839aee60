import TestSupport
import Testing

/// Reports show what a guest says without anything that steers a terminal: a pipe may end at one.
@Suite(.enabled(if: Tool.has("mke2fs", "sfdisk"), "tools are missing"))
struct GuestTextTests {
    @Test func reportsIntoAPipe() throws {
        let directory = try TemporaryDirectory()
        let steering = "\u{1b}[2Jnice\u{7}\u{9b}x"
        let image = try Fixture.root(
            [
                "etc/os-release": "ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"\(steering)\"\n",
                "etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n",
                "boot/grub/grub.cfg":
                    "menuentry '\(steering)' { linux /boot/vmlinuz-6.1.0 root=/dev/sda1\n initrd /i\n}\n",
                "boot/vmlinuz-6.1.0": "k", "i": "-rom1fs-",
            ], in: directory)
        try Fixture.diskgraft("label", image, "a\u{1b}[2J\nb", "--volume", "p1")
        for command in [["inspect", image], ["info", image], ["plan", image, "--to", "kvm"]] {
            let result = try Tool.run(Fixture.command, command, expect: 0...2)
            let lines = result.output.split(separator: UInt8(ascii: "\n"))
                // The diff is the guest's own bytes.
                .filter {
                    !($0.first.map { [UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: " ")].contains($0) }
                        ?? false) || command[0] != "plan"
                }
            #expect(lines.contains { String(decoding: $0, as: UTF8.self).contains("\\x1b[2J") }, "\(command)")
            #expect(!lines.joined().contains { $0 < 32 && $0 != 9 }, "\(command): \(result.text)")
            #expect(!lines.contains { $0.first == UInt8(ascii: "b") && $0.count < 3 }, "\(command)")
        }
    }
}
