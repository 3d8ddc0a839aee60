import Patcher
import Storage
import Testing

/// The word that lets a boot go on without a row, by what mounts it; roots that nothing makes; menus by the target's firmware.
@Suite struct OptionalRowTests {
    @Test(arguments: [
        (
            "ID=\"amzn\"\nNAME=\"Amazon Linux\"\nVERSION_ID=\"2\"\nID_LIKE=\"centos rhel fedora\"\nPRETTY_NAME=\"Amazon Linux 2\"\n",
            "nofail"
        ),
        ("ID=fedora\nPRETTY_NAME=\"Fedora Linux 39\"\nVERSION_ID=39\n", "nofail"),
        ("ID=ubuntu\nVERSION_ID=12.04\n", "nobootwait"), ("ID=ubuntu\nVERSION_ID=14.04\n", "nobootwait"),
        ("ID=ubuntu\nVERSION_ID=16.04\n", "nofail"), ("ID=debian\nVERSION_ID=12\n", "nofail"),
    ])
    func theWord(_ os: String, _ word: String) throws {
        let guest = FieldGuest(os: os)
        try guest.patch(rows: "/dev/sdb1 /data ext4 defaults 0 2\n")
        #expect(guest.rows == "/dev/sdb1 /data ext4 defaults,\(word) 0 2")
        // What says so already stays.
        let other = FieldGuest(os: os)
        try other.patch(rows: "/dev/sdb1 /data ext4 \(word) 0 2\n")
        #expect(other.rows == "/dev/sdb1 /data ext4 \(word) 0 2")
    }

    /// mountall knows no `nofail`.
    @Test func mountallWaitsAllTheSame() throws {
        let guest = FieldGuest(os: "ID=ubuntu\nVERSION_ID=14.04\n")
        try guest.patch(rows: "/dev/sdb1 /data ext4 nofail 0 2\n")
        #expect(guest.rows == "/dev/sdb1 /data ext4 nofail,nobootwait 0 2")
    }

    @Test(arguments: ["/dev/mapper/isw_dfhca_Volume0p1", "/dev/mapper/sda1_crypt"])
    func aRootThatNothingMakes(_ name: String) throws {
        let guest = FieldGuest([
            "/etc/fstab": "\(name) / ext4 defaults 0 1\n",
            "/boot/grub/grub.cfg": "set default=0\n" + FieldGuest.entry("A", "root=\(name)"),
        ])
        #expect(try guest.disk.plan("kvm").stop == .rootUnresolved)
        // A container that is closed here may hold it.
        var closed = guest
        closed.disk.partition(2, .luks, uuid: fieldData)
        #expect(try closed.disk.plan("kvm").stop == nil)
    }

    /// GRUB 2's code in the first sector reads its own menu on XenServer too; without such code its tools read any.
    @Test func theTargetReadsTheMenu() throws {
        var guest = FieldGuest([
            "/boot/grub/menu.lst":
                "default 0\ntitle Old\nroot (hd0)\nkernel /boot/vmlinuz-6.1.0-20 root=/dev/xvda9\ninitrd /boot/initrd.img-6.1.0-20\n"
        ])
        guest.disk.presentation = SourcePresentation(hypervisor: .xenserver)
        #expect(try guest.disk.plan("kvm").outcome == .boots)
        #expect(try guest.disk.plan("xenserver", controller: .xenBlkfront).outcome == .boots)
        guest.disk.bootCode = [.none]
        #expect(try guest.disk.plan("xenserver", controller: .xenBlkfront).outcome == .notKnown)
    }

    @Test func consolesOfKVM() throws {
        let menu = "set default=0\n" + FieldGuest.entry("A", "root=/dev/vda1 console=hvc0")
        let guest = FieldGuest(["/boot/grub/grub.cfg": menu, "/etc/fstab": "/dev/vda1 / ext4 defaults 0 1\n"])
        #expect(try guest.disk.patch("kvm").outcome == .bootsWithEdits)
        #expect(guest.text("/boot/grub/grub.cfg").contains("console=hvc0"))
    }
}
