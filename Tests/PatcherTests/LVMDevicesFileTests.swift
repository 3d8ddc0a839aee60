import Patcher
import Storage
import Testing

/// LVM's devices file: a row is of the physical volume whose identifier it has.
@Suite struct LVMDevicesFileTests {
    private let path = "/etc/lvm/devices/system.devices"
    private let head = "# LVM uses these.\nVERSION=1.1.4\n"

    /// Disk 1: the system on p1, a physical volume on p2; disk 2: one on all of it. /var is of the group on both.
    private func guest(_ rows: String, group: [String] = ["AAAA-1"], files: [String: String] = [:])
        -> FieldGuest
    {
        var guest = FieldGuest(files)
        guest.root.write(path, head + rows)
        guest.disk.partition(2, .lvm2, uuid: "AAAA-1")
        guest.disk.wholeDisk(2, .lvm2, uuid: "EEEE-2")
        guest.disk.logicalVolume("vg0", "var", .ext4, uuid: fieldData)
        guest.disk.volumes[3].groupMembers = group
        guest.disk.presentation = SourcePresentation(hypervisor: .vmware)
        guest.root.write(
            "/etc/fstab",
            "UUID=\(fieldRoot) / ext4 defaults 0 1\n/dev/mapper/vg0-var /var ext4 defaults 0 2\n")
        return guest
    }

    private func rows(_ guest: FieldGuest) -> String { String(guest.text(path).dropFirst(head.count)) }

    @Test(arguments: [
        // The names of the other order.
        (
            "IDTYPE=sys_wwid IDNAME=naa.2 DEVNAME=/dev/sda PVID=EEEE2\nIDTYPE=sys_wwid IDNAME=naa.1 DEVNAME=/dev/sdb2 PVID=AAAA1 PART=2\n",
            "IDTYPE=devname IDNAME=/dev/vdb DEVNAME=/dev/vdb PVID=EEEE2\nIDTYPE=devname IDNAME=/dev/vda2 DEVNAME=/dev/vda2 PVID=AAAA1 PART=2\n"
        ),
        // A disk that is gone, by a name that was another's or by none.
        (
            "IDTYPE=wwid_naa IDNAME=naa.1 DEVNAME=/dev/sda2 PVID=AAAA1 PART=2\nIDTYPE=sys_wwid IDNAME=naa.3 DEVNAME=/dev/sdb1 PVID=CCCC3 PART=1\n",
            "IDTYPE=devname IDNAME=/dev/vda2 DEVNAME=/dev/vda2 PVID=AAAA1 PART=2\nIDTYPE=sys_wwid IDNAME=naa.3 DEVNAME=/dev/sdb1 PVID=CCCC3 PART=1\n"
        ),
        (
            "IDTYPE=sys_serial IDNAME=1 DEVNAME=. PVID=AAAA-1 PART=5\nIDTYPE=sys_wwid IDNAME=naa.3 DEVNAME=. PVID=CCCC3\n",
            "IDTYPE=devname IDNAME=/dev/vda2 DEVNAME=/dev/vda2 PVID=AAAA-1 PART=2\nIDTYPE=sys_wwid IDNAME=naa.3 DEVNAME=. PVID=CCCC3\n"
        ),
        // Names of each other's devices.
        (
            "IDTYPE=devname IDNAME=/dev/vdb DEVNAME=/dev/vdb PVID=AAAA1\nIDTYPE=devname IDNAME=/dev/vda2 DEVNAME=/dev/vda2 PVID=EEEE2 PART=2\n",
            "IDTYPE=devname IDNAME=/dev/vda2 DEVNAME=/dev/vda2 PVID=AAAA1 PART=2\nIDTYPE=devname IDNAME=/dev/vdb DEVNAME=/dev/vdb PVID=EEEE2\n"
        ),
        // What lies on something else than a disk has a name of its own.
        (
            "IDTYPE=mpath_uuid IDNAME=mpath-36 DEVNAME=/dev/mapper/mpatha2 PVID=AAAA1 PART=2\nIDTYPE=md_uuid IDNAME=md-1 DEVNAME=/dev/md0 PVID=EEEE2\n",
            "IDTYPE=devname IDNAME=/dev/vda2 DEVNAME=/dev/vda2 PVID=AAAA1 PART=2\nIDTYPE=md_uuid IDNAME=md-1 DEVNAME=/dev/md0 PVID=EEEE2\n"
        ),
    ])
    func aRowIsOfItsPhysicalVolume(_ before: String, _ after: String) throws {
        let guest = guest(before)
        let plan = try guest.disk.patch("kvm", controller: .virtioBlk)
        #expect(rows(guest) == after)
        #expect(plan.stop == nil && plan.refusal == nil)
        let isLeft = plan.advice.contains {
            $0.message.plain.contains("CCCC3, is on none of the given disks")
        }
        #expect(isLeft == before.contains("CCCC3"))
    }

    /// A row is not given to another's device, and what has no row is not seen.
    @Test(arguments: [
        ("IDTYPE=sys_wwid IDNAME=naa.3 DEVNAME=/dev/sda2 PVID=CCCC3 PART=2\n", ["AAAA-1"], true),
        ("IDTYPE=sys_wwid IDNAME=naa.1 DEVNAME=/dev/sda2 PVID=AAAA1 PART=2\n", ["AAAA-1", "EEEE-2"], true),
        ("IDTYPE=sys_wwid IDNAME=naa.1 DEVNAME=/dev/sda2 PVID=AAAA1 PART=2\n", ["AAAA-1"], false),
        // A physical volume that was not given is another matter.
        ("IDTYPE=sys_wwid IDNAME=naa.1 DEVNAME=/dev/sda2 PVID=AAAA1 PART=2\n", ["AAAA-1", "CCCC-3"], false),
        ("", ["AAAA-1"], false),
    ])
    func aPhysicalVolumeWithoutARow(_ text: String, _ group: [String], _ isHidden: Bool) throws {
        let guest = guest(text, group: group)
        let plan = try guest.disk.patch("kvm", controller: .virtioBlk)
        #expect((plan.stop == .hiddenByDevicesFile) == isHidden)
        if text.contains("CCCC3") { #expect(rows(guest) == text) }
        let unused = self.guest(
            text, group: group, files: ["/etc/lvm/lvm.conf": "devices {\n use_devicesfile = 0\n}\n"])
        #expect(try unused.disk.plan("kvm", controller: .virtioBlk).stop == nil)
    }

    /// What the boot does not need it does not wait for.
    @Test(arguments: ["none swap", "/srv ext4"])
    func aRowOnWhatHasNoRow(_ row: String) throws {
        for (text, isHidden) in [
            ("IDTYPE=sys_wwid IDNAME=naa.3 DEVNAME=/dev/sda2 PVID=CCCC3 PART=2\n", true),
            ("IDTYPE=sys_wwid IDNAME=naa.1 DEVNAME=/dev/sda2 PVID=AAAA1 PART=2\n", false),
        ] {
            var guest = guest(text)
            if row.hasSuffix("swap") { guest.disk.volumes[3].identity = VolumeIdentity(kind: .swap) }
            guest.root.write(
                "/etc/fstab",
                "UUID=\(fieldRoot) / ext4 defaults 0 1\n/dev/mapper/vg0-var \(row) defaults 0 0\n")
            let plan = try guest.disk.patch("kvm", controller: .virtioBlk)
            #expect(
                guest.rows == "/dev/mapper/vg0-var \(row) defaults\(isHidden ? ",nofail" : "") 0 0")
            #expect(plan.stop == nil)
            // The row of the devices file is what counts, as it will be.
            var skipped = self.guest(text)
            if row.hasSuffix("swap") { skipped.disk.volumes[3].identity = VolumeIdentity(kind: .swap) }
            skipped.root.write(
                "/etc/fstab",
                "UUID=\(fieldRoot) / ext4 defaults 0 1\n/dev/mapper/vg0-var \(row) defaults 0 0\n")
            try skipped.disk.apply(try skipped.disk.plan("kvm", controller: .virtioBlk, skip: [.lvm]))
            #expect(skipped.rows.contains("nofail"))
        }
    }

    /// What the repair would have mended stops without it, unless the disks stay what they are.
    @Test func withoutTheRepair() throws {
        let guest = guest("IDTYPE=sys_wwid IDNAME=naa.1 DEVNAME=/dev/sda2 PVID=AAAA1 PART=2\n")
        #expect(try guest.disk.plan("kvm", skip: [.lvm]).stop == .hiddenByDevicesFile)
        #expect(try guest.disk.plan("vmware", skip: [.lvm]).stop == nil)
    }

    /// Which of two copies is meant nobody knows.
    @Test func aPhysicalVolumeThatIsThereTwice() throws {
        let text = "IDTYPE=sys_wwid IDNAME=naa.1 DEVNAME=/dev/sda2 PVID=AAAA1 PART=2\n"
        var guest = guest(text)
        guest.disk.wholeDisk(3, .lvm2, uuid: "AAAA-1")
        let plan = try guest.disk.patch("kvm")
        #expect(rows(guest) == text)
        #expect(plan.advice.contains { $0.message.plain.contains("are the same physical volume") })
    }
}
