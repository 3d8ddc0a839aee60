import Patcher
import Storage
import Testing

private let uuids = (1...4).map { "\($0)\($0)\($0)\($0)\($0)\($0)\($0)\($0)-1111-4111-8111-111111111111" }
private let path = "/dev/disk/by-path/"

/// An order of disks is believed only when it is complete, and nothing in the guest speaks against it.
@Suite struct DiskOrderTests {
    /// Disk 1: /boot, root, swap; every further disk: one data partition.
    private func guest(_ fstab: String, disks: Int, _ others: [String: String] = [:]) -> TestGuest {
        var guest = TestGuest()
        guest.partition(1, .ext4, uuid: uuids[0])
        let root = guest.partition(2, .ext4, uuid: uuids[1])
        guest.partition(3, .swap, uuid: uuids[2])
        for disk in 2..<(disks + 1) { guest.partition(1, .ext4, uuid: uuids[3], disk: disk) }
        guest.diskCount = disks
        root.write("/etc/fstab", fstab)
        for (path, contents) in others { root.write(path, contents) }
        return guest
    }

    private func resolve(_ guest: TestGuest, _ name: String) throws -> Resolution {
        try #require(try guest.survey().guests.first).resolver.resolve(DeviceName(name))
    }

    private func isUnresolved(_ guest: TestGuest, _ name: String) throws -> Bool {
        if case .unresolved = try resolve(guest, name) { true } else { false }
    }

    /// Targets, LUNs and controllers are all part of the address; one name for each disk gives their order.
    @Test(arguments: [
        ("pci-0000:00:05.0-scsi-0:0:0:0", "pci-0000:00:05.0-scsi-0:0:0:1"),
        ("pci-0000:03:00.0-scsi-0:0:0:0", "pci-0000:03:00.0-scsi-0:0:1:0"),
        ("pci-0000:03:00.0-scsi-0:0:0:0", "pci-0000:0b:00.0-scsi-0:0:0:0"),
        ("virtio-pci-0000:00:05.0-scsi-0:0:0:0", "virtio-pci-0000:00:05.0-scsi-0:0:0:1"),
        ("pci-0000:00:1f.2-ata-1", "pci-0000:02:00.0-ata-1"),
    ])
    func everyDiskHasAnAddress(_ first: String, _ second: String) throws {
        let guest = guest(
            "\(path)\(first)-part2 / ext4 defaults 0 1\n\(path)\(second)-part1 /data ext4 defaults 0 2\n",
            disks: 2)
        #expect(try resolve(guest, "\(path)\(first)-part1") == .volume(0))
        #expect(try resolve(guest, "\(path)\(second)-part1") == .volume(3))
        #expect(DeviceName("\(path)\(first)") != DeviceName("\(path)\(second)"))
    }

    /// The disk of another controller is not the one of the same target, nor a stick that was not given.
    @Test(arguments: [
        "pci-0000:0b:00.0-scsi-0:0:0:0", "pci-0000:02:00.0-usb-0:1:1.0-scsi-0:0:0:0",
        "ip-10.0.0.1:3260-iscsi-iqn.2001-04.com.example:x-lun-0", "acpi-VMBUS:00-scsi-0:0:0:0",
        "pci-0000:04:00.0-fc-0x5006016844602198-lun-0", "pci-0000:00:05.0",
    ])
    func anAddressElsewhereIsNotTheFirstDisk(_ address: String) throws {
        for disks in [1, 2] {
            let guest = guest(
                "UUID=\(uuids[1]) / ext4 defaults 0 1\n\(path)\(address)-part1 /data ext4 defaults 0 2\n",
                disks: disks)
            #expect(try isUnresolved(guest, "\(path)\(address)-part1"))
            try guest.patch("kvm")
            let root = try #require(guest.fileSystems[1] as? MemoryFileSystem)
            #expect(text(root.files["/etc/fstab"]).contains("\(address)-part1 /data ext4 defaults,nofail"))
        }
    }

    /// More names than disks: which one is missing is not known, whatever the letter. What is swapped to shows itself.
    @Test func aMissingDiskLeavesNoOrder() throws {
        let rows =
            "UUID=\(uuids[1]) / ext4 defaults 0 1\n/dev/sda3 none swap sw 0 0\n/dev/sdb1 /scratch ext4 defaults 0 2\n/dev/sdc1 /data ext4 defaults 0 2\n"
        var guest = guest(rows, disks: 2)
        guard case .unresolved(.moreNamesThanDisks(_, "/dev/sdc", 2)) = try resolve(guest, "/dev/sdb1") else {
            Issue.record("which disk sdb is hangs on which one was left behind")
            return
        }
        #expect(try isUnresolved(guest, "/dev/sdc1"))
        guest.presentation = SourcePresentation(map: ["sdc": 1])
        #expect(try resolve(guest, "/dev/sdc1") == .volume(3))
        guard case .unresolved = try resolve(guest, "/dev/sdb1") else {
            Issue.record("the second disk is sdc by the user's word")
            return
        }
        try guest.patch("kvm")
        let root = try #require(guest.fileSystems[1] as? MemoryFileSystem)
        #expect(
            text(root.files["/etc/fstab"])
                == "UUID=\(uuids[1]) / ext4 defaults 0 1\nUUID=\(uuids[2]) none swap sw 0 0\n/dev/sdb1 /scratch ext4 defaults,nofail 0 2\nUUID=\(uuids[3]) /data ext4 defaults 0 2\n"
        )
    }

    /// What cloud-init wrote may name a disk that the cloud lends, which is none of those given and shifts those behind it.
    @Test func aLentDiskIsNoneOfThoseGiven() throws {
        let lent = "/dev/sdb1 /mnt auto defaults,nofail,comment=cloudconfig 0 2\n"
        let root = "UUID=\(uuids[1]) / ext4 defaults 0 1\n/dev/sda1 /boot ext4 defaults 0 2\n"
        let two = guest(root + lent, disks: 2)
        guard case .unresolved(.lent) = try resolve(two, "/dev/sdb1") else {
            Issue.record("the data disk would be mounted in place of the temporary one")
            return
        }
        #expect(try resolve(two, "/dev/sda1") == .volume(0))
        #expect(try resolve(guest(root + lent, disks: 1), "/dev/sda1") == .volume(0))
        var three = guest(root + lent + "/dev/sdc1 /data ext4 defaults 0 2\n", disks: 3)
        guard case .unresolved(.behindLent(_, "/dev/sdb")) = try resolve(three, "/dev/sdc1") else {
            Issue.record("whether sdb is given decides what sdc is")
            return
        }
        three.presentation = SourcePresentation(map: ["sdb": 1])
        #expect(try resolve(three, "/dev/sdb1") == .volume(3))
        #expect(try resolve(three, "/dev/sdc1") == .volume(4))
    }

    /// Wherever it is mounted: what cloud-init writes by itself says nothing of what is there.
    @Test(arguments: [
        ("/mnt/ephemeral auto defaults,nobootwait,comment=cloudconfig", true),
        ("/data auto defaults,nofail,x-systemd.requires=cloud-init.service,comment=cloudconfig", true),
        ("/srv/ephemeral1 ext4 defaults,nofail,comment=cloudconfig", true),
        ("none swap sw,comment=cloudconfig", true),
        ("/data ext4 defaults,nofail,comment=cloudconfig", false),
        ("/data auto defaults,nofail", false),
    ])
    func aLentDiskAnywhere(_ row: String, _ isLent: Bool) throws {
        let root = "UUID=\(uuids[1]) / ext4 defaults 0 1\n/dev/sda1 /boot ext4 defaults 0 2\n"
        let guest = guest(root + "/dev/sdb1 \(row) 0 2\n", disks: 2)
        #expect(try isUnresolved(guest, "/dev/sdb1") == isLent)
    }

    /// Partitions that Xen hands over as disks: a word on the disk would not tell what they are.
    @Test func partitionsOfNoDisk() throws {
        var guest = TestGuest()
        let root = guest.wholeDisk(1, .ext3, uuid: uuids[1])
        guest.wholeDisk(2, .swap, uuid: uuids[2])
        root.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
        root.write("/etc/fstab", "/dev/xvda2 / ext3 defaults 0 1\n/dev/xvda1 none swap sw 0 0\n")
        for name in ["/dev/xvda1", "/dev/xvda2"] {
            guard case .unresolved(.wholeVolume(let told, _)) = try resolve(guest, name) else {
                Issue.record("\(name) is told by a word on itself alone")
                continue
            }
            #expect(told == name)
        }
        guest.presentation = SourcePresentation(map: ["xvda2": 0, "xvda1": 1])
        #expect(try resolve(guest, "/dev/xvda2") == .volume(0))
        #expect(try resolve(guest, "/dev/xvda1") == .volume(1))
    }

    /// A parallel adapter has target 7 itself: behind it a target is not the number of disks before it.
    @Test(arguments: [(1, true), (6, true), (7, false), (8, false)])
    func targetsBehindTheAdapters(_ target: Int, _ isSure: Bool) throws {
        let name = "\(path)pci-0000:03:00.0-scsi-0:0:\(target):0-part1"
        let guest = guest("UUID=\(uuids[1]) / ext4 defaults 0 1\n\(name) /data ext4 defaults 0 2\n", disks: 9)
        #expect(try isUnresolved(guest, name) != isSure)
    }

    /// Behind a place that no row names a disk may be: which of the two disks given is at target 2 is not known.
    @Test func aGapOnTheBus() throws {
        func name(_ target: Int, _ part: Int) -> String {
            "\(path)pci-0000:03:00.0-scsi-0:0:\(target):0-part\(part)"
        }
        func guest(_ target: Int) -> TestGuest {
            self.guest(
                "UUID=\(uuids[1]) / ext4 defaults 0 1\n\(name(0, 3)) none swap sw 0 0\n\(name(target, 1)) /data ext4 defaults 0 2\n",
                disks: 2)
        }
        #expect(try resolve(guest(1), name(1, 1)) == .volume(3))
        #expect(try isUnresolved(guest(2), name(2, 1)))
    }

    /// A row of the root that means another volume than its own contradicts what is known: nothing is made of it.
    @Test(arguments: [
        ("/dev/sdb1 / ext4 defaults 0 1\n", 2),
        ("/dev/sda2 / ext4 defaults 0 1\n/dev/sda1 / ext4 defaults 0 1\n", 1),
        ("/dev/sda1 / ext4 defaults 0 1\n", 1),
    ])
    func aRootThatIsElsewhere(_ rows: String, _ disks: Int) throws {
        let guest = guest(
            rows, disks: disks,
            [
                "/boot/grub/grub.cfg":
                    "menuentry A { linux /boot/vmlinuz-5.10.0 root=/dev/sda2 ; initrd /boot/i }\n"
            ])
        let plan = try guest.plan("kvm")
        #expect(plan.refusal?.code == .rowStopsBoot)
        #expect(plan.actions.isEmpty)
    }

    /// The whole of a disk with partitions is no volume: the row means another disk, or none.
    @Test(arguments: ["/dev/sdb /data ext4 defaults 0 2", "/dev/sdb none swap sw 0 0"])
    func allOfADiskWithPartitions(_ row: String) throws {
        let guest = guest("UUID=\(uuids[1]) / ext4 defaults 0 1\n\(row)\n", disks: 2)
        try guest.patch("kvm")
        let root = try #require(guest.fileSystems[1] as? MemoryFileSystem)
        #expect(text(root.files["/etc/fstab"]).contains(",nofail"))
        #expect(text(root.files["/etc/fstab"]).contains("/dev/sdb "))
    }

    /// Whatever the type is called: a volume that is known to hold another file system is not the row's.
    @Test(arguments: ["reiserfs", "jfs", "f2fs", "exfat", "zfs", "ufs", "hfsplus", "iso9660", "minix"])
    func aTypeThatNobodyLooksFor(_ type: String) throws {
        let guest = guest(
            "UUID=\(uuids[1]) / ext4 defaults 0 1\n/dev/sda1 /boot ext4 defaults 0 2\n/dev/sdb1 /data \(type) defaults 0 2\n",
            disks: 2)
        #expect(try isUnresolved(guest, "/dev/sdb1"))
        let open = self.guest(
            "UUID=\(uuids[1]) / ext4 defaults 0 1\n/dev/sdb1 /data auto defaults 0 2\n", disks: 2)
        #expect(try resolve(open, "/dev/sdb1") == .volume(3))
    }

    /// A row of swap or data with another kind of name than the root's is left over, and says nothing of the hypervisor.
    @Test func aLeftOverRowIsNoEvidence() throws {
        let guest = guest(
            "/dev/sda2 / ext4 defaults 0 1\n/dev/hda1 /data ext4 defaults 0 2\n/dev/xvda3 none swap sw 0 0\n",
            disks: 1)
        let found = try #require(try guest.survey().guests.first)
        #expect(found.resolver.presentation.hypervisor == nil)
        #expect(try isUnresolved(guest, "/dev/hda1"))
    }

    /// A letter between that nobody uses: the disk may be the last one given, and may not be there.
    @Test func aGapInTheLetters() throws {
        let root = "/dev/sda2 / ext4 defaults 0 1\n"
        let gap = guest(root + "/dev/sdc1 /data ext4 defaults 0 2\n", disks: 2)
        guard case .unresolved(.behindGap(let name, disk: 2, given: 2)) = try resolve(gap, "/dev/sdc1") else {
            Issue.record("which disk it is nobody knows")
            return
        }
        let sentence = UnresolvedReason.behindGap(name, disk: 2, given: 2).sentence
        #expect(sentence.text { $0 == .stateDisk("/dev/sdc") ? "HERE" : "" }.contains("HERE would tell"))
        // All disks have names, or there is none beside the root's.
        for (fstab, disks) in [
            (root + "/dev/sdb1 /a ext4 defaults 0 2\n/dev/sdc1 /data ext4 defaults 0 2\n", 2),
            (root + "/dev/sdc1 /data ext4 defaults 0 2\n", 1),
        ] {
            guard case .unresolved(let reason) = try resolve(guest(fstab, disks: disks), "/dev/sdc1"),
                reason.isAbsent
            else {
                Issue.record("\(fstab) with \(disks)")
                continue
            }
        }
        let plan = try gap.patch("kvm")
        #expect(plan.unresolved.map(\.text) == ["/dev/sdc1"])
        var stated = gap
        stated.presentation = SourcePresentation(map: ["sdc": 1])
        #expect(try resolve(stated, "/dev/sdc1") == .volume(3))
    }

    /// What the unit says lies there speaks against the order as a row does, and no unit takes what holds something else.
    @Test func aUnitThatContradicts() throws {
        func unit(_ device: String, _ type: String) -> [String: String] {
            ["/etc/systemd/system/data.mount": "[Mount]\nWhat=\(device)\nWhere=/data\nType=\(type)\n"]
        }
        let root = "UUID=\(uuids[1]) / ext4 defaults 0 1\n"
        #expect(
            try guest(root, disks: 1, unit("/dev/sda3", "ext4")).plan("kvm").unresolved.map(\.text)
                == ["/dev/sda3"])
        #expect(try isUnresolved(guest(root, disks: 2, unit("/dev/sdb1", "xfs")), "/dev/sdb1"))
        #expect(try resolve(guest(root, disks: 2, unit("/dev/sdb1", "ext4")), "/dev/sdb1") == .volume(3))
        // Two places of one volume, one of them by its UUID.
        let taken = guest(
            root + "UUID=\(uuids[0]) /boot ext4 defaults 0 2\n", disks: 2, unit("/dev/sda1", "ext4"))
        #expect(try isUnresolved(taken, "/dev/sda1"))
    }

    /// cryptsetup overwrites what such a row names: a volume that is mounted elsewhere is never it.
    @Test func anEncryptedRowNeverMeetsAMountedVolume() throws {
        let guest = guest(
            "UUID=\(uuids[1]) / ext4 defaults 0 1\nUUID=\(uuids[0]) /boot ext4 defaults 0 2\n", disks: 1,
            ["/etc/crypttab": "swap /dev/sda1 /dev/urandom swap\n"])
        guard case .unresolved(.mountedElsewhere) = try resolve(guest, "/dev/sda1") else {
            Issue.record("/boot would be overwritten")
            return
        }
    }

    /// Azure's links name disks by hardware; its root is the disk with the root.
    /// Links that a cloud's rules make: they change with the machine, or go.
    @Test(arguments: [
        "cloud/azure_resource-part1", "azure/resource-part1", "azure/scsi1/lun0-part1",
        "azure/data/by-lun/0-part1",
        "azure/data/by-lun/0", "azure/local/by-serial/abc-part1", "by-id/google-data",
        "by-id/google-data-part1",
        "by-id/scsi-0Google_PersistentDisk_data-part1", "by-id/nvme-Amazon_Elastic_Block_Store_vol0123-part1",
        "by-dname/disk1-part1", "by-diskseq/3-part1",
    ])
    func linksOfClouds(_ link: String) throws {
        let name = "/dev/disk/\(link)"
        #expect(DeviceName(name).isPositional)
        var guest = FieldGuest(["/etc/crypttab": "c \(name) /dev/urandom swap\n"])
        guest.disk.partition(1, .ext4, uuid: fieldData, disk: 2)
        let plan = try guest.patch(rows: "\(name) /data ext4 defaults 0 2\n")
        #expect(guest.rows == "\(name) /data ext4 defaults,nofail 0 2" && plan.refusal == nil)
        #expect(guest.text("/etc/crypttab") == "c \(name) /dev/urandom swap,nofail\n")
        #expect(plan.unresolved.count == 2)
        // The boot needs it.
        guest.root.write(
            "/etc/fstab", "UUID=\(fieldRoot) / ext4 defaults 0 1\n\(name) /var ext4 defaults 0 2\n")
        #expect(try guest.disk.plan("kvm").stop == .rowStopsBoot)
    }

    /// The root's own row tells which disk it is; Azure's links to it tell by themselves.
    @Test(arguments: [
        ("azure/root", true), ("azure/os", true), ("cloud/azure_root", true),
        ("by-id/google-persistent-disk-0", false),
        ("by-id/nvme-Amazon_Elastic_Block_Store_vol0123", false), ("by-dname/boot", false),
    ])
    func rootsOfClouds(_ link: String, _ tells: Bool) throws {
        let name = "/dev/disk/\(link)"
        for row in ["\(name)-part1 / ext4 defaults 0 1\n", "UUID=\(fieldRoot) / ext4 defaults 0 1\n"] {
            var guest = FieldGuest([
                "/etc/fstab": row + "\(name)-part2 /data ext4 defaults 0 2\n",
                "/boot/grub/grub.cfg": "set default=0\n" + FieldGuest.entry("A", "root=\(name)-part1"),
            ])
            guest.disk.partition(2, .ext4, uuid: fieldData)
            if row.hasPrefix("/dev") || tells {
                try guest.disk.patch("kvm")
                #expect(guest.text("/boot/grub/grub.cfg").contains("root=UUID=\(fieldRoot) "))
                #expect(guest.rows == "UUID=\(fieldData) /data ext4 defaults 0 2")
            } else {
                #expect(try guest.disk.plan("kvm").stop == .rootUnresolved)
            }
        }
    }

    /// A Btrfs of two disks is one file system: its UUID names both, and a device in its options is named by its partition.
    @Test(arguments: [false, true])
    func aFileSystemOfTwoDisks(_ isWhole: Bool) throws {
        func guest(_ members: [String], count: UInt64 = 2, os: String = "ID=debian\nVERSION_ID=12\n")
            -> FieldGuest
        {
            var guest = FieldGuest(os: os)
            for (index, member) in members.enumerated() {
                if isWhole {
                    guest.disk.wholeDisk(index + 2, .btrfs, uuid: fieldData)
                } else {
                    guest.disk.partition(
                        1, .btrfs, uuid: fieldData, disk: index + 2, partUUID: "5eed000\(index)-01")
                }
                let last = guest.disk.volumes.count - 1
                guest.disk.volumes[last].identity.member = .init(uuid: member, count: count)
                guest.disk.volumes[last].identity.label = Array("pool".utf8)
                guest.disk.fileSystems[last] = nil
            }
            return guest
        }
        let end = isWhole ? "" : "1"
        // A system that knows no partitions' UUIDs takes the file system's all the same.
        for os in ["ID=debian\nVERSION_ID=12\n", "ID=debian\nVERSION_ID=7\n"] {
            for target in ["kvm", "vmware", "aws"] {
                let pair = guest(["a", "b"], os: os)
                let plan = try pair.patch(
                    rows:
                        "/dev/sdb\(end) /data btrfs defaults 0 0\n/dev/sdc\(end) /more btrfs subvol=x 0 0\n",
                    target)
                #expect(
                    pair.rows
                        == "UUID=\(fieldData) /data btrfs defaults 0 0\nUUID=\(fieldData) /more btrfs subvol=x 0 0"
                )
                #expect(plan.refusal == nil && plan.unresolved.isEmpty)
            }
        }
        let named = guest(["a", "b"])
        #expect(
            try named.patch(
                rows: "UUID=\(fieldData) /data btrfs defaults 0 0\nLABEL=pool /more btrfs nofail 0 0\n"
            ).actions.isEmpty)
        let devices = guest(["a", "b"])
        try devices.patch(
            rows: "/dev/sdb\(end) /data btrfs device=/dev/sdb\(end),device=/dev/sdc\(end) 0 0\n")
        #expect(
            devices.rows
                == (isWhole
                    ? "UUID=\(fieldData) /data btrfs device=/dev/vdb,device=/dev/vdc 0 0"
                    : "UUID=\(fieldData) /data btrfs device=/dev/disk/by-partuuid/5eed0000-01,device=/dev/disk/by-partuuid/5eed0001-01 0 0")
        )
        // A copy of a device has its UUID too: neither is told by it.
        let copy = guest(["a", "a"], count: 1)
        try copy.patch(rows: "UUID=\(fieldData) /data btrfs nofail 0 0\n")
        #expect(try copy.disk.plan("kvm").unresolved.count == 1)
    }

    @Test func azureLinks() throws {
        let guest = guest(
            "/dev/disk/azure/root-part2 / ext4 defaults 0 1\n/dev/disk/azure/scsi1/lun0-part1 /data ext4 defaults 0 2\n",
            disks: 2)
        #expect(try resolve(guest, "/dev/disk/azure/root-part1") == .volume(0))
        #expect(try isUnresolved(guest, "/dev/disk/azure/scsi1/lun0-part1"))
        #expect(try isUnresolved(guest, "/dev/disk/azure/resource-part1"))
    }

    /// A file system whose UUID another bears is known by its partition.
    @Test func twoVolumesOfOneUUID() throws {
        var guest = TestGuest()
        let root = guest.partition(1, .ext4, uuid: uuids[0], partUUID: "5eed0001-01")
        guest.partition(1, .ext4, uuid: uuids[0], disk: 2, partUUID: "5eed0002-01")
        root.write("/etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n/dev/sdb1 /old ext4 defaults 0 2\n")
        root.write(
            "/boot/grub/grub.cfg", "menuentry A { linux /vmlinuz-5.10.0 root=/dev/sda1 ; initrd /i }\n")
        try guest.patch("kvm")
        #expect(
            text(root.files["/etc/fstab"])
                == "PARTUUID=5eed0001-01 / ext4 defaults 0 1\nPARTUUID=5eed0002-01 /old ext4 defaults 0 2\n")
    }
}
