import GuestTree
import Patcher
import Storage
import TestSupport
import Testing

/// A plan counts on no more than the file systems say.
@Suite struct CapabilityTests {
    private func guest(_ changes: Capabilities.Changes, restriction: String? = nil) -> TestGuest {
        var guest = TestGuest()
        let root = guest.partition(1, .ext3, uuid: "11111111-1111-1111-1111-111111111111")
        root.capabilities = Capabilities(changes: changes, labelByteLimit: 16, restriction: restriction)
        root.write("/etc/fstab", "/dev/hda1 / ext3 defaults 1 1\n")
        root.write("/etc/redhat-release", "CentOS release 5.11 (Final)\n")
        root.write("/etc/rc.d/rc3.d/S03vmware-tools", "#!/bin/sh\n")
        root.write(
            "/boot/grub/grub.conf",
            "default=0\ntitle C\n\troot (hd0,0)\n\tkernel /boot/vmlinuz-2.6.18 ro root=/dev/hda1\n\tinitrd /boot/i\n"
        )
        root.write("/boot/vmlinuz-2.6.18", "kernel")
        root.write("/boot/i", "-rom1fs-")
        return guest
    }

    @Test func everything() throws {
        let plan = try guest(.all).plan("kvm", fix: [.tools])
        #expect(plan.refusal == nil)
        #expect(plan.actions.contains { if case .rename = $0.kind { true } else { false } })
        #expect(plan.actions.contains { $0.edit?.file.displayPath == "/etc/fstab" })
    }

    @Test func contentsOnly() throws {
        let plan = try guest(.contents).plan("kvm", fix: [.tools])
        #expect(plan.refusal == nil)
        #expect(plan.actions.allSatisfy { $0.edit != nil } && !plan.actions.isEmpty)
        let advice = try #require(plan.advice.first { $0.repair == .tools })
        #expect(
            advice.message.plain
                == "on p1 (ext3) names can be read here and not changed; rename /etc/rc.d/rc3.d/S03vmware-tools to "
                + "disabled-S03vmware-tools by hand")
    }

    @Test(arguments: [nil, "the file system uses bigalloc, so it can be read and not written"])
    func nothing(_ restriction: String?) throws {
        let plan = try guest([], restriction: restriction).plan("kvm")
        let refusal = try #require(plan.refusal)
        #expect(plan.actions.isEmpty)
        let reason =
            restriction.map { "on p1 (ext3) \($0)" } ?? "files on p1 (ext3) can be read here and not changed"
        #expect(refusal.sentence.plain.contains(" has names that must change, and \(reason); "), "\(refusal)")
        #expect(
            plan.advice.contains {
                $0.path == "/etc/fstab" && $0.message.plain.contains("\"/dev/hda1\" to \"UUID=")
            })
    }

    /// A repair that is only good to have does not keep the rest from being done.
    @Test func nothingThatMustBe() throws {
        var guest = TestGuest()
        let root = guest.partition(1, .ext3, uuid: "11111111-1111-1111-1111-111111111111")
        root.capabilities = Capabilities()
        root.write("/etc/fstab", "UUID=11111111-1111-1111-1111-111111111111 / ext3 defaults 1 1\n")
        root.write("/etc/redhat-release", "CentOS release 5.11 (Final)\n")
        root.write("/etc/rc.d/rc3.d/S03vmware-tools", "#!/bin/sh\n")
        root.write(
            "/boot/grub/grub.conf",
            "default=0\ntitle C\n\troot (hd0,0)\n\tkernel /boot/vmlinuz-2.6.18 ro "
                + "root=UUID=11111111-1111-1111-1111-111111111111\n\tinitrd /boot/i\n")
        root.write("/boot/vmlinuz-2.6.18", "kernel")
        root.write("/boot/i", "-rom1fs-")
        let plan = try guest.plan("kvm", fix: [.tools])
        #expect(plan.refusal == nil && plan.actions.isEmpty)
        #expect(plan.advice.contains { $0.repair == .tools })
    }

    /// A label is written only where the file system can have one so long.
    @Test(arguments: [(16, true), (3, false), (0, false)])
    func labels(_ limit: Int, _ isWritten: Bool) throws {
        var guest = TestGuest()
        let root = guest.partition(1, .ext3)
        var allowed = Capabilities(changes: .all, labelByteLimit: limit)
        if limit == 0 { allowed.changes.remove(.label) }
        root.capabilities = allowed
        root.write("/etc/fstab", "/dev/hda1 / ext3 defaults 1 1\n")
        root.write("/etc/redhat-release", "Red Hat Enterprise Linux ES release 4\n")
        root.write(
            "/boot/grub/grub.conf",
            "default=0\ntitle C\n\troot (hd0,0)\n\tkernel /boot/vmlinuz-2.6.9 ro root=/dev/hda1\n\tinitrd /boot/i\n"
        )
        root.write("/boot/vmlinuz-2.6.9", "kernel")
        root.write("/boot/i", "-rom1fs-")
        let plan = try guest.plan("kvm")
        #expect(plan.actions.contains { if case .setLabel = $0.kind { true } else { false } } == isWritten)
    }
}
