import Patcher
import Storage
import Testing

/// Directories below /dev that look like a volume group's, and are a driver's or the system's.
@Suite struct NodeDirectoryTests {
    @Test(
        arguments: [
            ("/dev/i2o/hda1", "i2o", 0, 1), ("/dev/i2o/hdb", "i2o", 1, nil), ("/dev/i2o!hdc2", "i2o", 2, 2),
            ("/dev/ataraid/d0p1", "ataraid", 0, 1), ("/dev/ataraid/d1", "ataraid", 1, nil),
            ("/dev/amiraid/ar0p3", "amiraid", 0, 3), ("/dev/sx8/1p2", "sx8", 1, 2),
            ("/dev/sx8/0", "sx8", 0, nil),
            ("/dev/umem/d0p1", "umem", 0, 1), ("/dev/etherd/e0.1p2", "etherd", nil, 2),
            ("/dev/etherd/e12.3", "etherd", nil, nil), ("/dev/etherd!e0.0p1", "etherd", nil, 1),
            ("/dev/mpath/mpath0p1", "multipath", nil, 1),
        ] as [(String, String, Int?, Int?)])
    func disksOfDrivers(_ text: String, _ family: String, _ position: Int?, _ partition: Int?) {
        guard case .disk(let disk, let found) = DeviceName(text) else {
            Issue.record("\(text) is no disk")
            return
        }
        #expect(disk.family.rawValue == family && disk.position == position && found == partition)
        #expect(disk.base.hasPrefix("/dev/") && !disk.base.contains("!"))
    }

    /// What lies in these directories and is no disk is no logical volume either; what only looks like one of them is.
    @Test func directoriesThatAreNoGroups() {
        for directory in [
            "block", "nbd", "drbd", "zvol", "rbd", "input", "loop", "ram", "shm", "pts", "net", "bus", "evms",
            "gnbd", "discs", "vx", "raw", "oracleasm", "stratis", "etherd", "i2o", "ataraid",
        ] {
            let name = "/dev/\(directory)/data"
            #expect(DeviceName(name) == .virtual(name))
        }
        #expect(DeviceName("/dev/rd/0") == .virtual("/dev/rd/0"))
        #expect(DeviceName("/dev/mpath/data") == .mapped("data"))
        #expect(DeviceName("/dev/disk/sda1") == .notADevice)
        for group in ["rd", "ida", "vg0", "sda", "nbd0", "i2o0", "hda", "data"] {
            #expect(DeviceName("/dev/\(group)/root") == .logicalVolume(group: group, name: "root"))
        }
    }

    /// The root's own row tells the first disk, and with it the second; the new names hold there.
    @Test(arguments: [
        ("/dev/i2o/hda", "/dev/i2o/hdb", ""), ("/dev/ataraid/d0", "/dev/ataraid/d1", "p"),
        ("/dev/amiraid/ar0", "/dev/amiraid/ar1", "p"), ("/dev/sx8/0", "/dev/sx8/1", "p"),
        ("/dev/umem/d0", "/dev/umem/d1", "p"),
    ])
    func anOrderThatIsComplete(_ first: String, _ second: String, _ mark: String) throws {
        var guest = FieldGuest([
            "/boot/grub/grub.cfg": "set default=0\n" + FieldGuest.entry("A", "root=\(first)\(mark)1")
        ])
        guest.disk.partition(1, .ext4, uuid: fieldData, disk: 2)
        guest.root.write(
            "/etc/fstab", "\(first)\(mark)1 / ext4 defaults 0 1\n\(second)\(mark)1 /var ext4 defaults 0 2\n")
        #expect(try guest.disk.patch("kvm").refusal == nil)
        #expect(
            guest.text("/etc/fstab")
                == "UUID=\(fieldRoot) / ext4 defaults 0 1\nUUID=\(fieldData) /var ext4 defaults 0 2\n")
        #expect(guest.text("/boot/grub/grub.cfg").contains("root=UUID=\(fieldRoot)"))
    }

    /// A place on the network is none in an order.
    @Test func diskOverEthernet() throws {
        var guest = FieldGuest()
        guest.disk.partition(1, .ext4, uuid: fieldData, disk: 2)
        let plan = try guest.patch(rows: "/dev/etherd/e0.0p1 /srv ext4 defaults 0 2\n")
        #expect(guest.rows == "/dev/etherd/e0.0p1 /srv ext4 defaults,nofail 0 2")
        #expect(plan.references.first { $0.text == "/dev/etherd/e0.0p1" }?.unresolved != nil)
        guest.disk.presentation = SourcePresentation(map: ["/dev/etherd/e0.0": 1])
        try guest.patch(rows: "/dev/etherd/e0.0p1 /var ext4 defaults 0 2\n")
        #expect(guest.rows == "UUID=\(fieldData) /var ext4 defaults 0 2")
    }

    /// LVM's own metadata has the last word.
    @Test(arguments: [("net", "home"), ("i2o", "hda1"), ("etherd", "e0.0"), ("rd", "c0d0p1"), ("rd", "0")])
    func aGroupOfSuchAName(_ group: String, _ name: String) throws {
        var guest = FieldGuest()
        guest.disk.logicalVolume(group, name, .ext4, uuid: fieldData)
        let plan = try guest.patch(rows: "/dev/\(group)/\(name) /var ext4 defaults 0 2\n")
        #expect(plan.refusal == nil)
        #expect(plan.references.allSatisfy { $0.unresolved == nil })
        #expect([fieldData, group].contains { guest.rows.contains($0) })
        let absent = FieldGuest()
        try absent.patch(rows: "/dev/\(group)/\(name) /srv ext4 defaults 0 2\n")
        #expect(absent.rows.contains("nofail"))
    }
}
