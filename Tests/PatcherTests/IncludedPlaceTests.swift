import GuestTree
import Patcher
import Storage
import Testing

/// Files that menus of GRUB read from another volume than the guest's own.
@Suite struct IncludedPlaceTests {
    private static let more =
        "menuentry More { linux /boot/vmlinuz-6.1.0-20 root=/dev/sda1 ; initrd /boot/initrd.img-6.1.0-20 }\n"

    private func guest(_ command: String, at path: String = "/grub/more.cfg") -> (
        FieldGuest, MemoryFileSystem
    ) {
        var guest = FieldGuest([
            "/etc/fstab": "/dev/sda1 / ext4 defaults 0 1\n",
            "/boot/grub/grub.cfg": "set default=0\n" + FieldGuest.entry("A", "root=/dev/sda1") + command
                + "\n",
        ])
        let other = guest.disk.partition(2, .ext4, uuid: fieldData)
        other.write(path, Self.more)
        return (guest, other)
    }

    /// What no row mounts is read and changed where the device leads.
    @Test(arguments: [
        "source (hd0,2)/grub/more.cfg", "source (hd0,msdos2)/grub/more.cfg",
        "menuentry B { configfile (hd0,2)/grub/more.cfg }",
        "menuentry B { search --no-floppy --fs-uuid --set=root \(fieldData)\n configfile /grub/more.cfg }",
        "menuentry B { set root=(hd0,2)\n configfile /grub/more.cfg }",
        "menuentry B { set root=hd0,2\n configfile ($root)/grub/more.cfg }",
    ])
    func aVolumeThatNoRowMounts(_ command: String) throws {
        let (guest, other) = guest(command)
        // The guest's own file of that path is another.
        guest.root.write("/grub/more.cfg", Self.more)
        let plan = try guest.disk.patch("kvm")
        #expect(text(other.files["/grub/more.cfg"]).contains("root=UUID=\(fieldRoot)"))
        #expect(text(guest.root.files["/grub/more.cfg"]) == Self.more)
        #expect(plan.actions.contains { $0.edit?.file.displayPath == "/(p2)/grub/more.cfg" })
        #expect(plan.refusal == nil && plan.defaultVerdict?.title == "A")
    }

    /// One that a row mounts is read below its place.
    @Test func aVolumeThatARowMounts() throws {
        let (guest, other) = guest("source (hd0,2)/grub/more.cfg")
        guest.root.write(
            "/etc/fstab", "/dev/sda1 / ext4 defaults 0 1\nUUID=\(fieldData) /srv ext4 defaults 0 2\n")
        let plan = try guest.disk.patch("kvm")
        #expect(text(other.files["/grub/more.cfg"]).contains("root=UUID=\(fieldRoot)"))
        #expect(plan.actions.contains { $0.edit?.file.displayPath == "/srv/grub/more.cfg" })
    }

    @Test func legacy() throws {
        let entry =
            "title More\nkernel /boot/vmlinuz-6.1.0-20 root=/dev/sda1\ninitrd /boot/initrd.img-6.1.0-20\n"
        let (guest, other) = guest("")
        guest.root.remove("/boot/grub/grub.cfg")
        guest.root.write(
            "/boot/grub/menu.lst", "default 0\n" + entry + "title B\nconfigfile (hd0,1)/grub/more.lst\n")
        other.write("/grub/more.lst", "default 0\n" + entry)
        try guest.disk.patch("kvm")
        #expect(text(other.files["/grub/more.lst"]).contains("root=UUID=\(fieldRoot)"))
    }

    /// What is not there is said, and what another system may own is left to its own plan.
    @Test func elsewhere() throws {
        for device in ["(hd1,1)", "(hd0,9)", "(cd)", "(lvm/vg-x)"] {
            let (guest, other) = guest("source \(device)/grub/more.cfg")
            let system = try #require(try guest.disk.survey().guests.first)
            #expect(system.notes.contains { $0.contains("reads \(device)/grub/more.cfg, which is not on") })
            try guest.disk.patch("kvm")
            #expect(text(other.files["/grub/more.cfg"]) == Self.more)
        }
        let (guest, other) = guest("source (hd0,2)/grub/more.cfg")
        other.write("/etc/fstab", "UUID=\(fieldData) / ext4 defaults 0 1\n")
        other.write("/etc/os-release", "ID=debian\n")
        other.makeDirectory("/bin")
        other.makeDirectory("/sbin")
        let systems = try guest.disk.survey().guests
        #expect(
            systems.count == 2
                && systems[0].files.allSatisfy { $0.file.path.displayText != "/(p2)/grub/more.cfg" })
    }
}
