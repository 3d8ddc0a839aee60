import GuestTree
import Patcher
import Storage
import Testing

@Suite struct DeviceNameTests {
    @Test(
        arguments: [
            ("/dev/sda1", "sd", 0, 1), ("/dev/sdb", "sd", 1, nil), ("/dev/hdc2", "hd", 2, 2),
            ("/dev/xvde3", "xvd", 4, 3),
            ("/dev/vdaa12", "vd", 26, 12), ("/dev/nvme0n1p2", "nvme", 0, 2), ("/dev/nvme1n1", "nvme", 1, nil),
            ("/dev/cciss/c0d1p3", "cciss", 1, 3), ("/dev/cciss!c0d1p3", "cciss", 1, 3),
            ("/dev/ida/c0d0p1", "ida", 0, 1), ("/dev/ida!c0d0", "ida", 0, nil),
            ("/dev/rd/c0d2p2", "rd", 2, 2), ("/dev/ida/c1d0", "ida", nil, nil),
            ("/dev/disk/by-id/ata-QEMU_HARDDISK_QM00001-part2", "qemuSerial", 0, 2),
            ("/dev/disk/by-id/scsi-SATA_QEMU_HARDDISK_QM00002-part1", "qemuSerial", 1, 1),
            ("/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:1:0-part1", "scsiAddress", nil, 1),
            ("/dev/disk/by-path/pci-0000:00:1f.2-ata-2-part1", "ataPort", 1, 1),
            ("/dev/disk/by-path/pci-0000:00:07.1-ide-1:0", "idePosition", 2, nil),
        ] as [(String, String, Int?, Int?)])
    func disks(_ text: String, _ family: String, _ position: Int?, _ partition: Int?) {
        guard case .disk(let disk, let found) = DeviceName(text) else {
            Issue.record("\(text) is no disk")
            return
        }
        #expect(disk.family.rawValue == family)
        #expect(disk.position == position)
        #expect(found == partition)
    }

    @Test(arguments: [
        ("UUID=ABCD-1234", DeviceName.uuid("ABCD-1234")),
        ("UUID=\"3F5C0D7E-8a67-4a5a-9d0b-5d5a3a1e0c11\"", .uuid("3f5c0d7e-8a67-4a5a-9d0b-5d5a3a1e0c11")),
        ("LABEL=/", .label([47])), ("/dev/disk/by-label/a\\x20b", .label(Array("a b".utf8))),
        ("PARTUUID=1234ABCD-02", .partitionUUID("1234abcd-02")),
        ("/dev/VolGroup00/LogVol00", .logicalVolume(group: "VolGroup00", name: "LogVol00")),
        ("/dev/mapper/vg--a-lv_root", .logicalVolume(group: "vg-a", name: "lv_root")),
        ("/dev/rd/root", .logicalVolume(group: "rd", name: "root")),
        ("/dev/ida!root", .virtual("/dev/ida!root")),
        ("/dev/mapper/sda3_crypt", .mapped("sda3_crypt")), ("/dev/md0", .array("md0")),
        ("/dev/md/home", .array("home")),
        ("/dev/sr0", .optical("/dev/sr0")), ("/dev/fd0", .floppy("/dev/fd0")),
        ("/dev/root", .virtual("/dev/root")),
        ("nas:/export", .notADevice), ("tmpfs", .notADevice), ("/dev/", .virtual("/dev/")),
        ("/dev/sda01", .virtual("/dev/sda01")), ("/dev/sdaaaa", .virtual("/dev/sdaaaa")),
        ("UUID=", .notADevice),
    ])
    func others(_ text: String, _ expected: DeviceName) { #expect(DeviceName(text) == expected) }
}

@Suite struct ResolverTests {
    private func resolve(_ guest: TestGuest, _ name: String) throws -> Resolution {
        try #require(try guest.survey().guests.first).resolver.resolve(DeviceName(name))
    }

    /// One root partition on disk 1 and a data partition on disk 2.
    private func twoDisks(_ fstab: String) -> TestGuest {
        var guest = TestGuest()
        guest.partition(1, .ext3, uuid: "11111111-1111-4111-8111-111111111111").write("/etc/fstab", fstab)
        guest.partition(1, .ext3, uuid: "22222222-2222-4222-8222-222222222222", disk: 2)
        return guest
    }

    @Test func hdcIsTheOpticalDriveUnlessAllDisksAreNamed() throws {
        var guest = twoDisks("/dev/hda1 / ext3 defaults 1 1\n/dev/hdc /media/cdrom iso9660 noauto 0 0\n")
        #expect(try resolve(guest, "/dev/hdc") == .notADisk)
        guest = twoDisks("/dev/hda1 / ext3 defaults 1 1\n/dev/hdc1 /data ext3 defaults 1 2\n")
        #expect(try resolve(guest, "/dev/hdc1") == .volume(1))
        guest.diskCount = 3
        guard case .unresolved = try resolve(guest, "/dev/hdc1") else {
            Issue.record("with three disks hdc may be the second or the third")
            return
        }
        guest.presentation = SourcePresentation(map: ["hdc": 1])
        #expect(try resolve(guest, "/dev/hdc1") == .volume(1))
    }

    @Test func rhel6OnXenBeginsAtXvde() throws {
        let guest = twoDisks("/dev/xvde1 / ext4 defaults 1 1\n/dev/xvdf1 /data ext4 defaults 1 2\n")
        #expect(try resolve(guest, "/dev/xvde1") == .volume(0))
        #expect(try resolve(guest, "/dev/xvdf1") == .volume(1))
    }

    @Test func xenNamesOfOneDiskAreAliases() throws {
        let guest = twoDisks("/dev/xvda1 / ext4 defaults 1 1\n")
        #expect(try resolve(guest, "/dev/hdb1") == .volume(1))
        #expect(try resolve(guest, "/dev/sda1") == .volume(0))
    }

    @Test func otherKindsOfDisksStayUnresolved() throws {
        let guest = twoDisks("/dev/sda1 / ext4 defaults 1 1\n/dev/hda1 /data ext3 defaults 0 0\n")
        guard case .unresolved(.otherKindThanRoot(let name)) = try resolve(guest, "/dev/hda1") else {
            Issue.record("hda beside sda must not be guessed")
            return
        }
        #expect(name.base == "/dev/hda")
        #expect(
            UnresolvedReason.otherKindThanRoot(name).sentence.text { remedy in
                remedy == .stateDisk(nil) ? "--map" : ""
            }
                == "/dev/hda names another kind of disk than the root's; --map would tell which of the disks it is"
        )
    }

    /// Once the root's row bears its UUID, the name beside it must not be taken for the root.
    @Test func theUnresolvedStaysSoAfterwards() throws {
        for data in ["hda1", "vda1", "xvda1", "nvme0n1p1"] {
            let guest = twoDisks("/dev/sda1 / ext4 defaults 1 1\n/dev/\(data) /data ext3 defaults 0 0\n")
            try guest.patch("kvm")
            guard case .unresolved = try resolve(guest, "/dev/\(data)") else {
                Issue.record("\(data) must stay unresolved")
                return
            }
        }
    }

    /// Several disks behind one NVMe controller are its name spaces.
    @Test(arguments: [
        ("UUID=\(fieldRoot)", "/dev/nvme0n2p1"), ("/dev/nvme0n1p1", "/dev/nvme0n2p1"),
        ("UUID=\(fieldRoot)", "/dev/nvme1n1p1"), ("/dev/nvme0n1p1", "/dev/nvme1n1p1"),
        ("UUID=\(fieldRoot)", "/dev/disk/by-path/pci-0000:0b:00.0-nvme-2-part1"),
        (
            "/dev/disk/by-path/pci-0000:0b:00.0-nvme-1-part1",
            "/dev/disk/by-path/pci-0000:13:00.0-nvme-1-part1"
        ),
    ])
    func nameSpacesAndControllersCount(_ root: String, _ data: String) throws {
        let guest = twoDisks("\(root) / ext4 defaults 1 1\n\(data) /data ext3 defaults 0 0\n")
        #expect(try resolve(guest, data) == .volume(1))
        try guest.patch("kvm")
    }

    @Test(arguments: [
        ("UUID=\(fieldRoot)", "/dev/nvme0n3p1"), ("UUID=\(fieldRoot)", "/dev/nvme1n2p1"),
        ("/dev/nvme0n1p1", "/dev/nvme1n2p1\n/dev/nvme2n1p1"), ("/dev/nvme0n2p1", "/dev/nvme0n1p1"),
        ("UUID=\(fieldRoot)", "/dev/disk/by-id/nvme-VMware_Virtual_NVMe_Disk_VMWARE_NVME_0000_2-part1"),
        ("UUID=\(fieldRoot)", "/dev/disk/by-path/pci-0000:0b:00.0-nvme-1-part1"),
    ])
    func whereNothingTellsTheyAreUnresolved(_ root: String, _ data: String) throws {
        let rows = data.split(separator: "\n").enumerated().map { "\($1) /data\($0) ext3 defaults 0 0\n" }
        let guest = twoDisks("\(root) / ext4 defaults 1 1\n" + rows.joined())
        for name in data.split(separator: "\n") {
            guard case .unresolved = try resolve(guest, String(name)) else {
                Issue.record("\(name) must stay unresolved")
                return
            }
        }
    }

    @Test func swappedDisksAreNoticed() throws {
        let guest = twoDisks("/dev/sdb1 / ext4 defaults 1 1\n/dev/sda1 /data ext3 defaults 0 0\n")
        #expect(try resolve(guest, "/dev/sdb1") == .volume(0))
        guard case .unresolved = try resolve(guest, "/dev/sda1") else {
            Issue.record("the order is contradicted")
            return
        }
    }

    @Test func absentDisksAndPartitions() throws {
        let guest = twoDisks("/dev/sda1 / ext4 defaults 1 1\n/dev/sdb1 /data ext4 defaults 1 2\n")
        guard case .unresolved(let third) = try resolve(guest, "/dev/sdc1"),
            case .unresolved(let seventh) = try resolve(guest, "/dev/sda7")
        else {
            Issue.record("nothing is there")
            return
        }
        #expect(third.sentence == "/dev/sdc is disk 3, and 2 disks were given")
        #expect(seventh == .noPartition(disk: 0, number: 7))
        #expect(seventh.sentence == "disk 1 has no partition 7")
        guard case .unresolved = try resolve(guest, "UUID=00000000-0000-4000-8000-000000000000"),
            case .unresolved = try resolve(guest, "/dev/disk/by-id/scsi-36000c29-part1")
        else {
            Issue.record("nothing has that name")
            return
        }
    }

    @Test func aSharedUUIDIsNoName() throws {
        var guest = TestGuest()
        let twin = "11111111-1111-4111-8111-111111111111"
        let root = guest.partition(1, .ext3, uuid: twin, label: "one")
        guest.partition(2, .ext3, uuid: twin, label: "two")
        root.write("/etc/fstab", "/dev/sda1 / ext3 defaults 1 1\n/dev/sda2 /b ext3 defaults 1 2\n")
        try guest.patch("kvm")
        #expect(
            text(root.files["/etc/fstab"])
                == "LABEL=one / ext3 defaults 1 1\nLABEL=two /b ext3 defaults 1 2\n")
    }

    @Test func aRowThatContradictsTheVolumeIsNotTouched() throws {
        var guest = TestGuest()
        let root = guest.partition(1, .ext3, uuid: "11111111-1111-4111-8111-111111111111")
        guest.partition(2, .ext3, uuid: "22222222-2222-4222-8222-222222222222")
        root.write("/etc/fstab", "/dev/sda1 / ext3 defaults 1 1\n/dev/sda2 none swap sw 0 0\n")
        let plan = try guest.patch("kvm")
        #expect(text(root.files["/etc/fstab"]).contains("/dev/sda2 none swap"))
        #expect(plan.unresolved.map(\.text) == ["/dev/sda2"])
    }

    @Test func linksAreFollowedAndEditedOnce() throws {
        var guest = TestGuest()
        let boot = guest.partition(1, .ext3, uuid: "11111111-1111-4111-8111-111111111111")
        let root = guest.partition(2, .ext3, uuid: "22222222-2222-4222-8222-222222222222")
        root.write("/etc/fstab", "/dev/sda2 / ext3 defaults 1 1\n/dev/sda1 /boot ext3 defaults 1 2\n")
        root.makeDirectory("/boot")
        root.link("/etc/grub.conf", to: "../boot/grub/grub.conf")
        boot.link("/boot", to: ".")
        boot.link("/grub/menu.lst", to: "./grub.conf")
        boot.write(
            "/grub/grub.conf",
            "title A\n\tkernel /vmlinuz-2.6.32 root=/dev/sda2 ro\n\tinitrd /initrd-2.6.32\n")
        let plan = try guest.patch("kvm")
        #expect(
            plan.actions.compactMap(\.edit).map(\.file.displayPath) == ["/etc/fstab", "/boot/grub/grub.conf"])
        #expect(plan.actions.compactMap(\.edit).map(\.file.volume) == [1, 0])
    }

    @Test func oldKernelsKeepTheirLimit() throws {
        var guest = TestGuest()
        let root = guest.partition(1, .ext3, uuid: "11111111-1111-4111-8111-111111111111", label: "r")
        root.write("/etc/fstab", "/dev/sda1 / ext3 defaults 1 1\n")
        let filler = String(repeating: "x", count: 225)
        root.write(
            "/boot/grub/menu.lst", "title A\nkernel /vmlinuz-2.6.18-8 root=/dev/sda1 \(filler)\ninitrd /i\n")
        try guest.patch("kvm")
        #expect(text(root.files["/boot/grub/menu.lst"]).contains("root=LABEL=r \(filler)\n"))
    }
}
