import Initramfs
import Patcher
import Storage
import TestSupport
import Testing

/// Copies of LVM's and mdadm's configuration in an initramfs, which hide the root's disks by their new names.
@Suite struct CopiedFilterTests {
    private let held = [
        "ext4", "scsi_mod", "sd_mod", "ahci", "libata", "virtio", "virtio_ring", "virtio_pci", "virtio_blk",
    ]

    private func guest(
        _ location: Volume.Location, _ kind: VolumeIdentity.Kind, _ files: [String: String],
        root: String = "UUID=\(DriverGuest.rootUUID)", pack: String? = nil
    ) throws -> DriverGuest {
        var guest = try DriverGuest(holding: held)
        let image = "/boot/initrd.img-\(DriverGuest.release)"
        guest.root.write(image, try guest.image(held, files: files, pack: pack))
        guest.root.write(
            "/boot/grub/grub.cfg",
            DriverGuest.entry("A", initrd: image).replacing(
                "root=UUID=\(DriverGuest.rootUUID)", with: "root=\(root)"))
        guest.guest.volumes[0].location = location
        guest.guest.partition(1, kind, uuid: "A-1")
        guest.guest.partition(1, kind, uuid: "B-2", disk: 2)
        guest.guest.volumes[0].groupMembers = ["A-1", "B-2"]
        return guest
    }

    private func refusal(_ guest: DriverGuest, _ controller: Controller) throws -> VerdictReason.Code? {
        refusal(try guest.plan("kvm", controller: controller))
    }

    private func refusal(_ plan: Plan) -> VerdictReason.Code? {
        guard case .cannot(let reason) = plan.verdicts.first?.outcome else { return nil }
        return reason.code
    }

    @Test(arguments: [
        ("DEVICE /dev/sda1 /dev/sdb1\nARRAY /dev/md0 UUID=1:2:3:4\n", true),
        ("# x\ndevice /dev/sd*[0-9]\n", true), ("DEVICE /dev/sda1\n  partitions\n", false),
        ("DEVICE partitions\n", false), ("DEVICE /dev/vd*\n", false),
        ("ARRAY /dev/md0 UUID=1:2:3:4\n", false),
        ("DEVICE /dev/disk/by-id/x\n", false), ("#DEVICE /dev/sda1\n", false),
    ])
    func aCopyThatHidesTheArray(_ text: String, _ isHidden: Bool) throws {
        let guest = try guest(.array(name: "0"), .mdRAID, ["etc/mdadm/mdadm.conf": text])
        #expect(try refusal(guest, .virtioBlk) == (isHidden ? .hiddenByCopy : nil))
        // The names stay.
        #expect(try refusal(guest, .ahci) == (text.contains("/dev/vd*") ? .hiddenByCopy : nil))
    }

    /// An array that no row describes gets another name.
    @Test func anArrayByItsName() throws {
        let text = "ARRAY /dev/md0 level=raid1\n   devices=/dev/sda1,/dev/sdb1\n"
        let files = ["etc/mdadm/mdadm.conf": text]
        let named = try guest(.array(name: "0"), .mdRAID, files, root: "/dev/md0")
        #expect(try refusal(named, .virtioBlk) == .hiddenByCopy)
        #expect(try refusal(named, .ahci) == nil)
        #expect(try refusal(try guest(.array(name: "0"), .mdRAID, files), .virtioBlk) == nil)
    }

    @Test(arguments: [
        ("devices {\n filter = [ \"a|/dev/sda|\", \"r|.*|\" ]\n}\n", true),
        ("devices {\n filter = [ \"r|/dev/sdc|\" ]\n}\n", false),
        ("devices {\n filter = [ \"a|/dev/disk/by-id/lvm-pv-uuid-.*|\", \"r|.*|\" ]\n}\n", false),
        ("devices {\n global_filter = [ \"a|^/dev/[sv]d|\", \"r|.*|\" ]\n}\n", false),
    ])
    func aCopyThatHidesTheVolumes(_ text: String, _ isHidden: Bool) throws {
        let guest = try guest(
            .logicalVolume(group: "vg0", name: "root"), .lvm2, ["etc/lvm/lvm.conf": text],
            root: "/dev/mapper/vg0-root")
        #expect(try refusal(guest, .virtioBlk) == (isHidden ? .hiddenByCopy : nil))
        #expect(try refusal(guest, .ahci) == nil)
    }

    /// A devices file that names disks by what the old machine told of them; LVM since 2.03.23 looks further. Each physical volume
    /// of the root's group needs a row that has its identifier.
    @Test(arguments: [
        ("IDTYPE=sys_wwid IDNAME=naa.6000c29 DEVNAME=/dev/sda1 PVID=A1 PART=1\n", true),
        ("VERSION=1.1.2\nIDTYPE=sys_serial IDNAME=1 DEVNAME=/dev/sda1 PVID=A1\n", true),
        ("IDTYPE=mpath_uuid IDNAME=mpath-36 DEVNAME=/dev/dm-1 PVID=A1\n", true),
        ("IDTYPE=devname IDNAME=/dev/sdx DEVNAME=. PVID=A1\nIDTYPE=md_uuid IDNAME=md-1 PVID=B2\n", false),
        ("IDTYPE=devname IDNAME=/dev/sdx DEVNAME=/dev/sda1 PVID=A1\n", true),
        (
            "IDTYPE=sys_wwid IDNAME=a DEVNAME=/dev/sda1 PVID=A1\nIDTYPE=devname IDNAME=/dev/sdy PVID=C3\n",
            true
        ),
        ("PRODUCT_UUID=1-2\nIDTYPE=sys_wwid IDNAME=a PVID=A1\nIDTYPE=sys_wwid IDNAME=b PVID=B2\n", false),
        ("PRODUCT_UUID=1-2\nIDTYPE=sys_wwid IDNAME=a DEVNAME=/dev/sda1 PVID=A1\n", true),
        ("# nothing\n", false),
    ])
    func aCopyOfTheDevicesFile(_ text: String, _ isHidden: Bool) throws {
        let path = "etc/lvm/devices/system.devices"
        let place = Volume.Location.logicalVolume(group: "vg0", name: "root")
        let guest = try guest(place, .lvm2, [path: text], root: "/dev/mapper/vg0-root")
        for controller in [Controller.virtioBlk, .ahci] {
            #expect(try refusal(guest, controller) == (isHidden ? .hiddenByCopy : nil))
        }
        let words = summary(try guest.plan("kvm", controller: .virtioBlk))
        #expect(words.contains("only identifiers that the old machine gave them") == isHidden)
        #expect(!isHidden || !words.contains("system.devices in the initramfs names"))
        let unused = try self.guest(
            place, .lvm2, [path: text, "etc/lvm/lvm.conf": "devices {\n use_devicesfile = 0\n}\n"],
            root: "/dev/mapper/vg0-root")
        #expect(try refusal(unused, .virtioBlk) == nil)
    }

    /// A devices file that has rows for all of the root's disks is put right in an archive beside the image, which Linux unpacks
    /// over it.
    @Test(arguments: [nil, "gzip"])
    func aCopyThatIsPutRight(_ pack: String?) throws {
        let path = "etc/lvm/devices/system.devices"
        let text =
            "VERSION=1.1.2\nIDTYPE=sys_wwid IDNAME=naa.1 DEVNAME=/dev/sda1 PVID=A1 PART=1\nIDTYPE=sys_wwid IDNAME=naa.2 DEVNAME=/dev/sdb1 PVID=B2\n"
        let guest = try guest(
            .logicalVolume(group: "vg0", name: "root"), .lvm2, [path: text], root: "/dev/mapper/vg0-root",
            pack: pack)
        let plan = try guest.plan("kvm")
        #expect(plan.controller == .virtioBlk && plan.refusal == nil)
        #expect(plan.outcome == .bootsWithEdits, "\(summary(plan))")
        #expect(summary(plan).contains("LVM's devices file with the new machine's names"))
        // What it does without: modules, and what loads them.
        #expect(plan.verdicts.map(\.drivers) == [.present])
        try guest.guest.apply(plan)
        let name = "/boot/diskgraft-drivers-\(DriverGuest.release).img"
        let overlay = try InitramfsImage(ByteSource(try #require(guest.root.files[name])))
            .contents { _, _ in true }
        #expect(
            String(decoding: try #require(overlay.bytes(of: path)), as: UTF8.self)
                == "VERSION=1.1.2\nIDTYPE=devname IDNAME=/dev/vda1 DEVNAME=/dev/vda1 PVID=A1 PART=1\nIDTYPE=devname IDNAME=/dev/vdb1 DEVNAME=/dev/vdb1 PVID=B2 PART=1\n"
        )
        #expect(!overlay.files.contains { $0.path.suffix(3).elementsEqual(".ko".utf8) })
        // Done once; and found on the next machine by the identifiers that the rows have.
        for controller in [Controller.virtioBlk, .ahci] {
            let again = try guest.plan("kvm", controller: controller)
            #expect(again.outcome == .boots && again.actions.isEmpty, "\(controller): \(summary(again))")
        }
        // A further overlay, for modules, keeps it.
        let moved = try guest.plan("hyperv", controller: .storvsc)
        #expect(moved.refusal == nil, "\(summary(moved))")
        try guest.guest.apply(moved)
        let both = try InitramfsImage(ByteSource(try #require(guest.root.files[name])))
            .contents { _, _ in true }
        #expect(both.bytes(of: path) != nil)
        #expect(both.files.contains { $0.path.suffix(13).elementsEqual("hv_storvsc.ko".utf8) })
        #expect(try guest.plan("hyperv", controller: .storvsc).actions.isEmpty)
    }

    /// Not where nothing may be added, nor where the image would be unpacked over it.
    @Test func aCopyThatStays() throws {
        let text =
            "IDTYPE=sys_wwid IDNAME=1 DEVNAME=/dev/sda1 PVID=A1\nIDTYPE=sys_wwid IDNAME=2 DEVNAME=/dev/sdb1 PVID=B2\n"
        func guest(_ pack: String?) throws -> DriverGuest {
            try self.guest(
                .logicalVolume(group: "vg0", name: "root"), .lvm2, ["etc/lvm/devices/system.devices": text],
                root: "/dev/mapper/vg0-root", pack: pack)
        }
        let never = try guest(nil).plan("kvm", drivers: .never)
        #expect(refusal(never) == .hiddenByCopy)
        #expect(never.actions.isEmpty)
        let before = try guest("lz4 -l").plan("kvm")
        #expect(refusal(before) == .hiddenByCopy, "\(summary(before))")
        #expect(before.actions.isEmpty)
    }

    /// Rows by the names of each other's devices.
    @Test func aCopyOfTheDevicesFileWithOtherNames() throws {
        let rows =
            "IDTYPE=devname IDNAME=/dev/sdb1 DEVNAME=/dev/sdb1 PVID=A1\nIDTYPE=devname IDNAME=/dev/sda1 DEVNAME=/dev/sda1 PVID=B2\n"
        let guest = try guest(
            .logicalVolume(group: "vg0", name: "root"), .lvm2, ["etc/lvm/devices/system.devices": rows],
            root: "/dev/mapper/vg0-root")
        let never = try guest.plan("kvm", controller: .ahci, drivers: .never)
        #expect(refusal(never) == .hiddenByCopy)
        let corrected = try guest.plan("kvm", controller: .ahci)
        #expect(corrected.outcome == .bootsWithEdits, "\(summary(corrected))")
        // Nothing there has these names.
        #expect(try guest.plan("kvm", controller: .virtioBlk).actions.isEmpty)
    }

    private func summary(_ plan: Plan) -> String { text(PlanText.summary(of: plan, guestTitle: "A")) }

    /// A controller behind which the names stay is taken where there is one.
    @Test func theControllerThatKeepsTheNames() throws {
        let text = "DEVICE /dev/sda1 /dev/sdb1\n"
        let hidden = try guest(.array(name: "0"), .mdRAID, ["etc/mdadm/mdadm.conf": text])
        let plan = try hidden.plan("kvm")
        #expect(plan.controller == .ahci && plan.refusal == nil && plan.outcome != .notKnown)
        #expect(
            plan.controllers.first { $0.controller == .virtioBlk }?.state
                == .hidden(by: "etc/mdadm/mdadm.conf"))
        #expect(try guest(.array(name: "0"), .mdRAID, [:]).plan("kvm").controller == .virtioBlk)
    }

    /// The root that only the initramfs names.
    @Test func aRootInTheInitramfsAlone() throws {
        var guest = try DriverGuest(holding: held)
        let image = "/boot/initrd.img-\(DriverGuest.release)"
        guest.root.write("/etc/os-release", "ID=fedora\nPRETTY_NAME=\"Fedora Linux 39\"\nVERSION_ID=39\n")
        let files = ["etc/cmdline.d/95root-dev.conf": "root=/dev/sda1 rootfstype=ext4\n"]
        guest.root.write(image, try guest.image(held, files: files))
        let entry = DriverGuest.entry("A", initrd: image)
        guest.root.write(
            "/boot/grub/grub.cfg", entry.replacing("root=UUID=\(DriverGuest.rootUUID) ", with: ""))
        #expect(try refusal(guest, .virtioBlk) == .rootUnresolved)
        #expect(try guest.plan("kvm").controller == .ahci)
        // The last word is the entry's.
        guest.root.write("/boot/grub/grub.cfg", entry)
        #expect(try refusal(guest, .virtioBlk) == nil)
        guest.guest.diskCount = 1
    }

    /// Arguments that the initramfs alone has are judged as the entry's own.
    @Test(
        arguments: [
            ("root=UUID=\(fieldData)", VerdictReason.Code.rootUnresolved),
            ("rd.lvm.lv=vg9/root", .argumentUnresolved),
            ("rd.luks.uuid=luks-\(fieldData)", .argumentUnresolved),
            ("rd.md.uuid=11111111:22222222:33333333:44444444", .argumentUnresolved),
            ("mount.usr=/dev/sdq9", .argumentUnresolved),
            ("mount.usr=UUID=\(fieldData)", .argumentUnresolved),
            ("resume=UUID=\(fieldData)", nil), ("resume=/dev/sdq9", nil),
            ("root=UUID=\(DriverGuest.rootUUID)", nil),
            ("rd.lvm.lv=vg9", nil),
        ] as [(String, VerdictReason.Code?)])
    func argumentsInTheInitramfsAlone(_ argument: String, _ code: VerdictReason.Code?) throws {
        var guest = try DriverGuest(holding: held)
        let image = "/boot/initrd.img-\(DriverGuest.release)"
        guest.root.write("/etc/os-release", "ID=fedora\nPRETTY_NAME=\"Fedora Linux 39\"\nVERSION_ID=39\n")
        let entry = DriverGuest.entry("A", initrd: image)
        let isRoot = argument.hasPrefix("root=")
        guest.root.write(
            "/boot/grub/grub.cfg",
            isRoot ? entry.replacing("root=UUID=\(DriverGuest.rootUUID) ", with: "") : entry)
        guest.root.write(image, try guest.image(held, files: ["etc/cmdline.d/95.conf": argument + "\n"]))
        #expect(try refusal(guest, .virtioBlk) == code)
        let said = try guest.plan("kvm").advice.map(\.message.plain).filter { $0.contains("resume from") }
        #expect(said.count == (argument.hasPrefix("resume=") ? 1 : 0))
        // A container may hold what is named, and the last word is the entry's.
        if argument.hasPrefix("resume=") {
            for own in ["noresume", "resume=UUID=\(DriverGuest.rootUUID)"] {
                guest.root.write("/boot/grub/grub.cfg", entry.replacing(" ro", with: " ro \(own)"))
                let said = try guest.plan("kvm").advice.map(\.message.plain)
                #expect(!said.contains { $0.contains("resume from") })
            }
        }
        guest.guest.diskCount = 1
    }

    /// What a row says beside its devices is enough.
    @Test func devicesOfARow() throws {
        let guest = FieldGuest([
            "/etc/mdadm/mdadm.conf":
                "ARRAY /dev/md1 UUID=1:2:3:4 devices=/dev/sda1,/dev/sdb1 spares=1\nARRAY /dev/md2 devices=/dev/sda2\nARRAY /dev/md3 name=x:3\n   devices=/dev/sda3\n"
        ])
        let plan = try guest.disk.patch("kvm")
        #expect(
            guest.text("/etc/mdadm/mdadm.conf")
                == "ARRAY /dev/md1 UUID=1:2:3:4 spares=1\nARRAY /dev/md2 devices=/dev/sda2\nARRAY /dev/md3 name=x:3\n\n"
        )
        #expect(plan.advice.contains { $0.message.plain.contains("devices=/dev/sda2 ties") })
    }
}
