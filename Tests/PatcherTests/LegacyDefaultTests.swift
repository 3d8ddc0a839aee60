import Patcher
import Storage
import Testing

/// Which entry GRUB legacy boots by itself.
@Suite struct LegacyDefaultTests {
    private let gone = "99999999-1111-4222-8333-444455556666"

    private func entry(_ title: String, _ root: String = fieldRoot) -> String {
        "title \(title)\n\troot (hd0,0)\n\tkernel /boot/vmlinuz-6.1.0-20 root=UUID=\(root) ro\n\tinitrd /boot/initrd.img-6.1.0-20\n"
    }

    private func plan(_ menu: String, _ files: [String: String] = [:]) throws -> Plan {
        var guest = FieldGuest(files.merging(["/boot/grub/menu.lst": menu]) { first, _ in first })
        guest.root.remove("/boot/grub/grub.cfg")
        guest.disk.bootCode = [.grubLegacy]
        return try guest.disk.plan("kvm")
    }

    /// A number behind the last entry is the first fallback that there is, else the first entry.
    @Test func behindTheLast() throws {
        let good = entry("A") + entry("B", gone)
        for head in ["default 5\n", "default=2\n", "default 9\nfallback 7\n", ""] {
            let plan = try plan(head + good)
            #expect(plan.outcome == .boots && plan.defaultVerdict?.title == "A", "\(head)")
        }
        let other = try plan("default 5\nfallback 8 1\n" + good)
        #expect(other.defaultVerdict?.title == "B" && other.refusal?.code == .defaultCannot)
        #expect(
            try plan("default saved\n" + good, ["/boot/grub/default": "7\n"]).defaultVerdict?.title == "A")
        #expect(
            try plan("default saved\n" + good, ["/boot/grub/default": "1\n"]).defaultVerdict?.title == "B")
    }

    /// A title with nothing behind it is a line of text.
    @Test func titlesAloneAreNotCounted() throws {
        let menu =
            "default 1\ntitle ------\n\n" + entry("A", gone) + "title Other systems:\n# none\n" + entry("B")
            + "title end\n"
        let plan = try plan(menu)
        #expect(plan.defaultVerdict?.title == "B" && plan.outcome == .boots)
    }
}
