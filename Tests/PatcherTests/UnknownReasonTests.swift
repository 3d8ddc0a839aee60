import Patcher
import Storage
import Testing

/// Why nobody knows whether a guest boots: the word that scripts read.
@Suite struct UnknownReasonTests {
    @Test func aMenuOnAPartitionThatCannotBeRead() throws {
        var guest = FieldGuest(
            ["/etc/fstab": "UUID=\(fieldRoot) / ext4 defaults 0 1\n"],
            os: "ID=rhel\nVERSION_ID=7.9\nNAME=RHEL\n")
        guest.disk.bootCode = [.none]
        guest.disk.partition(2, .vfat, uuid: "ABCD-1234", type: "EFI System", readable: false)
        let plan = try guest.disk.plan("kvm")
        #expect(plan.unknown?.code == .loadersNotRead && plan.outcome == .notKnown && plan.actions.isEmpty)
    }

    @Test func aDefaultThatOnlyTheLoaderKnows() throws {
        let guest = FieldGuest([
            "/boot/grub/grub.cfg":
                "set default=0\nif [ -e /boot/other ]; then\nset default=1\nfi\n" + FieldGuest.entry("A")
                + FieldGuest.entry("B", "root=UUID=99999999-9999-4999-8999-999999999999")
        ])
        let plan = try guest.disk.plan("kvm")
        #expect(plan.unknown?.code == .noDefault && plan.outcome == .notKnown && plan.refusal == nil)
    }

    @Test func withoutAMenu() throws {
        let guest = FieldGuest()
        guest.root.remove("/boot/grub/grub.cfg")
        #expect(try guest.disk.plan("kvm").unknown?.code == .noMenu)
    }
}
