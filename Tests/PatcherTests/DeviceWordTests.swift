import Patcher
import Storage
import Testing

/// Names of cards, of disks behind several paths, and of nodes that are no volumes.
@Suite struct DeviceWordTests {
    @Test func cards() throws {
        var guest = FieldGuest([
            "/etc/fstab":
                "/dev/mmcblk0p1 / ext4 defaults 0 1\n/dev/mmcblk0p2 /home ext4 defaults 0 2\n/dev/mmcblk1p1 /card ext4 defaults 0 2\n",
            "/boot/grub/grub.cfg": "set default=0\n" + FieldGuest.entry("A", "root=/dev/mmcblk0p1"),
        ])
        guest.disk.partition(2, .ext4, uuid: fieldData)
        let plan = try guest.disk.patch("kvm")
        #expect(plan.outcome == .bootsWithEdits && plan.stop == nil)
        #expect(
            guest.text("/etc/fstab")
                == "UUID=\(fieldRoot) / ext4 defaults 0 1\nUUID=\(fieldData) /home ext4 defaults 0 2\n/dev/mmcblk1p1 /card ext4 defaults,nofail 0 2\n"
        )
        #expect(guest.text("/boot/grub/grub.cfg").contains("root=UUID=\(fieldRoot)"))
        #expect(DeviceName("/dev/mmcblk0").isPositional && DeviceName("/dev/mmcblk12p3").isPositional)
        for word in ["/dev/mmcblk0p0", "/dev/mmcblk0boot0", "/dev/mmcblkp1", "/dev/mmcblk0p1p2"] {
            #expect(!DeviceName(word).isPositional, "\(word)")
        }
    }

    @Test func whatIsNoLogicalVolume() {
        for name in ["36005076304ffc6dc0000000000000001-part1", "mpatha-part2"] {
            #expect(DeviceName("/dev/mapper/\(name)") == .mapped(name))
        }
        #expect(DeviceName("/dev/mapper/vg0-part1") == .logicalVolume(group: "vg0", name: "part1"))
        #expect(DeviceName("/dev/block/8:1") == .virtual("/dev/block/8:1"))
    }
}
