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
        for (name, base, partition) in [
            ("36005076304ffc6dc0000000000000001-part1", "36005076304ffc6dc0000000000000001", 1),
            ("36005076304ffc6dc0000000000000001", "36005076304ffc6dc0000000000000001", nil),
            ("mpatha-part2", "mpatha", 2), ("mpathap1", "mpatha", 1), ("mpathb3", "mpathb", 3),
            ("mpathp", "mpathp", nil), ("mpath0", "mpath0", nil), ("mpath12p4", "mpath12", 4),
        ] as [(String, String, Int?)] {
            guard case .disk(let disk, let number) = DeviceName("/dev/mapper/\(name)") else {
                Issue.record("\(name)")
                continue
            }
            #expect(disk.family == .multipath && disk.base == "/dev/mapper/\(base)" && number == partition)
        }
        for name in ["mpath", "mpathA", "secure", "deadbeef-part1", "mpath-ap1x"] {
            if case .disk = DeviceName("/dev/mapper/\(name)") { Issue.record("\(name)") }
        }
        #expect(DeviceName("/dev/mapper/vg0-part1") == .logicalVolume(group: "vg0", name: "part1"))
        #expect(DeviceName("/dev/block/8:1") == .virtual("/dev/block/8:1"))
    }

    /// A disk behind several paths: the root's own row tells which it is, else the user's word.
    @Test(arguments: ["/dev/mapper/mpatha", "/dev/mapper/36005076304ffc6dc0000000000000001"])
    func disksOfSeveralPaths(_ base: String) throws {
        var guest = FieldGuest([
            "/etc/fstab":
                "\(base)-part1 / ext4 defaults 0 1\n/dev/mapper/mpathb-part1 /data ext4 defaults 0 2\n",
            "/boot/grub/grub.cfg": "set default=0\n" + FieldGuest.entry("A", "root=\(base)-part1"),
        ])
        guest.disk.partition(1, .ext4, uuid: fieldData, disk: 2)
        #expect(try guest.disk.patch("kvm").outcome == .bootsWithEdits)
        #expect(
            guest.text("/etc/fstab")
                == "UUID=\(fieldRoot) / ext4 defaults 0 1\n/dev/mapper/mpathb-part1 /data ext4 defaults,nofail 0 2\n"
        )
        #expect(guest.text("/boot/grub/grub.cfg").contains("root=UUID=\(fieldRoot)"))
        guest.disk.presentation = SourcePresentation(map: ["/dev/mapper/mpathb": 1])
        try guest.patch(rows: "/dev/mapper/mpathb-part1 /data ext4 defaults 0 2\n")
        #expect(guest.rows == "UUID=\(fieldData) /data ext4 defaults 0 2")
    }

    /// mdadm.conf says which array a node is; its partitions and udev's links follow.
    @Test func nodesOfArrays() throws {
        let digits = "aaaaaaaa:bbbbbbbb:cccccccc:dddddddd"
        for (row, name) in [
            ("ARRAY /dev/md5 UUID=\(digits)", "/dev/md5"),
            ("array md5 metadata=1.2 uuid=\(digits.uppercased())", "/dev/md/md5"),
            ("ARRAY /dev/md/data UUID=\(digits)", "/dev/md/data"),
            ("ARRAY /dev/md5 UUID=\(digits)", "/dev/md5p1"),
            ("", "/dev/disk/by-id/md-uuid-\(digits)-part1"),
        ] {
            var guest = FieldGuest(["/etc/mdadm/mdadm.conf": row + "\n"])
            guest.disk.partition(2, .ext4, uuid: fieldData, readable: false)
            let isPart = name.hasSuffix("p1") || name.hasSuffix("part1")
            guest.disk.volumes[1].location = .array(name: isPart ? "127p1" : "127")
            guest.disk.volumes[1].identifierLinks = ["md-uuid-" + digits + (isPart ? "-part1" : "")]
            try guest.patch(rows: "\(name) /data ext4 defaults 0 2\n")
            #expect(guest.rows == "\(name) /data ext4 defaults 0 2", "\(row)")
        }
        let other = FieldGuest(["/etc/mdadm.conf": "ARRAY /dev/md5 UUID=\(digits)\n"])
        try other.patch(rows: "/dev/md5 /data ext4 defaults 0 2\n")
        #expect(other.rows == "/dev/md5 /data ext4 defaults,nofail 0 2")
    }

    /// Places of which no order follows: one of two disks is meant, and nothing says which.
    @Test(arguments: [
        "by-path/pci-0000:00:1d.0-usb-0:1:1.0-scsi-0:0:0:0-part1",
        "by-path/ip-10.0.0.1:3260-iscsi-iqn.2020-01.x:a-lun-0-part1",
        "by-path/acpi-VMBUS:01-vmbus-f8b3781a1e824818a1c363d806ec15bb-lun-1-part1",
        "by-path/vmbus-f8b3781a1e824818a1c363d806ec15bb-lun-1-part1",
        "by-path/pci-0000:03:00.0-sas-0x5000c29a1b2c3d4e-lun-0-part1",
        "by-path/pci-0000:03:00.0-sas-phy0-lun-0-part1",
        "by-path/pci-0000:0b:00.0-sas-exp0x500-phy0-lun-0-part1",
        "by-path/virtio-pci-0000:00:05.0-part1", "by-path/pci-0000:00:05.0-part1",
        "by-path/pci-0000:06:00.0-virtio-pci-virtio2-part1",
        "by-path/platform-4010000000.pcie-pci-0000:00:02.0-part1", "by-path/ccw-0.0.1000-part1",
        "by-path/xen-vbd-51712-part1",
        "by-path/pci-0000:04:00.0-fc-0x50060e80-lun-0-part1",
        "by-id/scsi-36000c29a1b2c3d4e5f60718293a4b5c6-part1",
        "by-id/wwn-0x6000c29a1b2c3d4e-part1", "by-id/scsi-3600224801a2b3c4d-part1",
        "by-id/ata-VBOX_HARDDISK_VB1234-5678-part1",
        "by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi1-part1", "by-id/virtio-disk1-part1",
        "by-id/google-persistent-disk-1-part1",
        "by-id/scsi-0Google_PersistentDisk_data-part1", "by-id/nvme-Amazon_Elastic_Block_Store_vol0123-part1",
        "by-id/nvme-eui.0025388b710116a1-part1", "by-id/scsi-14d534654202020207305e3437703544694957-part1",
        "by-id/usb-Generic_Flash-0:0-part1", "azure/scsi1/lun0-part1", "azure/resource-part1",
    ])
    func placesThatTellNoOrder(_ link: String) throws {
        var guest = FieldGuest()
        guest.disk.partition(1, .ext4, uuid: fieldData, disk: 2)
        let name = "/dev/disk/" + link
        try guest.patch(rows: "\(name) /data ext4 defaults 0 2\n")
        #expect(guest.rows == "\(name) /data ext4 defaults,nofail 0 2")
        guest.disk.presentation = SourcePresentation(map: [String(name.dropLast("-part1".count)): 1])
        try guest.patch(rows: "\(name) /data ext4 defaults 0 2\n")
        #expect(guest.rows == "UUID=\(fieldData) /data ext4 defaults 0 2")
    }
}
