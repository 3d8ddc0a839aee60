import Patcher
import Storage
import Testing

/// Where a GRUB looks for an entry's files: its own names of disks are judged like others that count them.
@Suite struct LoaderDeviceTests {
    private func entry(_ commands: String, kernel: String = "/boot/vmlinuz-6.1.0-20") -> String {
        "set default=0\nmenuentry A {\n\(commands)\n\tlinux \(kernel) root=UUID=\(fieldRoot) ro\n\tinitrd /boot/initrd.img-6.1.0-20\n}\n"
    }

    private func guest(_ menu: String) -> FieldGuest {
        var guest = FieldGuest(["/boot/grub/grub.cfg": menu])
        guest.disk.partition(2, .swap, uuid: fieldData)
        return guest
    }

    @Test(arguments: [
        "set root='hd1,msdos1'", "set root=(hd0,7)", "root=hd0,gpt9", "set root='hd2'", "set root='hd0'",
        "set root='hd1,msdos1'\nsearch --no-floppy --fs-uuid --set=root 99999999-1111-4222-8333-444455556666",
    ])
    func aDeviceThatWillNotBeThereStops(_ commands: String) throws {
        let plan = try guest(entry(commands)).disk.plan("kvm")
        #expect(plan.stop == .loaderDeviceMissing && plan.refusal?.code == .defaultCannot)
        #expect(plan.actions.isEmpty)
    }

    @Test(arguments: [
        "set root='hd0,msdos1'", "set root=(hd0,1)", "",
        "set root='hd1,msdos1'\nsearch --no-floppy --fs-uuid --set=root \(fieldRoot)",
        "set root='hd0,msdos1'\nif [ x$feature_platform_search_hint = xy ]; then\nsearch --fs-uuid --set=root --hint-bios=hd0,msdos1 \(fieldRoot)\nelse\nsearch --fs-uuid --set=root \(fieldRoot)\nfi",
        "set root=$disk", "search --file --set=root /boot/vmlinuz-6.1.0-20",
        "search --label --set=other nowhere",
        "set root='hd1,msdos1'\nsearch --fs-uuid \(fieldRoot) --set root",
        "set root='hd1,msdos1'\nsearch -nsu \(fieldRoot)",
        "set root='hd1,msdos1'\nsearch -n -u -s root \(fieldRoot)",
        "set root='hd1,msdos1'\nsearch --no-floppy --fs-uuid --set \(fieldRoot)",
        "set root='hd1,msdos1'\nsearch --no-floppy --fs-uuid --set=root --hint='hd1,msdos1' \(fieldRoot)",
        "if [ -e /x ]; then\nset root='hd1,msdos1'\nelse\nset root='hd0,msdos1'\nfi",
    ])
    func whatIsThereBoots(_ commands: String) throws {
        let plan = try guest(entry(commands)).disk.plan("kvm")
        #expect(plan.stop == nil && plan.refusal == nil && plan.outcome == .boots)
    }

    /// The file must lie on the volume that the loader reads, by the path that it counts from there.
    @Test(arguments: ["set root='hd0,msdos2'", "search --fs-uuid --set=root \(fieldData)"])
    func theOtherVolumeHasNoKernel(_ commands: String) throws {
        var guest = FieldGuest(["/boot/grub/grub.cfg": entry(commands)])
        let data = guest.disk.partition(2, .ext4, uuid: fieldData)
        let plan = try guest.disk.plan("kvm")
        #expect(plan.stop == .fileMissing)
        #expect(plan.refusal?.sentence.plain.contains("is not on p2") == true)
        data.write("/boot/vmlinuz-6.1.0-20", "kernel")
        data.write("/boot/initrd.img-6.1.0-20", "-rom1fs-")
        #expect(try guest.disk.plan("kvm").stop == nil)
    }

    /// A logical volume where nothing is LVM's; behind a closed container nobody can tell.
    @Test func aLogicalVolumeThatIsNowhere() throws {
        var guest = FieldGuest(["/boot/grub/grub.cfg": entry("set root='lvm/vg-root'")])
        #expect(try guest.disk.plan("kvm").stop == .loaderDeviceMissing)
        guest.disk.partition(2, .luks)
        #expect(try guest.disk.plan("kvm").stop == nil)
    }

    @Test func theKernelsOwnDevice() throws {
        #expect(
            try guest(entry("", kernel: "(hd1,msdos1)/boot/vmlinuz-6.1.0-20")).disk.plan("kvm").stop
                == .loaderDeviceMissing)
        #expect(
            try guest(entry("set root=hd1,1", kernel: "(hd0,msdos1)/boot/vmlinuz-6.1.0-20")).disk.plan("kvm")
                .stop
                == .loaderDeviceMissing, "the initramfs is looked for on root")
    }

    private func legacy(_ commands: String) -> FieldGuest {
        var guest = FieldGuest([
            "/boot/grub/menu.lst":
                "default 0\ntitle A\n\(commands)\nkernel /boot/vmlinuz-6.1.0-20 root=UUID=\(fieldRoot) ro\ninitrd /boot/initrd.img-6.1.0-20\n"
        ])
        guest.root.remove("/boot/grub/grub.cfg")
        guest.disk.bootCode = [.grubLegacy]
        return guest
    }

    @Test func theLegacyLoader() throws {
        for commands in ["root (hd1,0)", "root (hd0,4)", "rootnoverify (hd3,0)"] {
            let plan = try legacy(commands).disk.plan("kvm")
            #expect(plan.stop == .loaderDeviceMissing, "\(commands)")
            let isDisk = !commands.contains("hd0")
            #expect(
                plan.defaultVerdict?.symptom
                    == (isDisk ? "Error 21: Selected disk does not exist" : "Error 22: No such partition"))
            // pygrub reads what lies beside the menu.
            #expect(try legacy(commands).disk.plan("xenserver").stop == nil)
        }
        for commands in ["root (hd0)", "root (hd0,1)"] {
            var guest = legacy(commands)
            guest.disk.partition(2, .lvm2)
            #expect(
                try guest.disk.plan("kvm").stop
                    == (commands == "root (hd0)" ? .loaderDeviceMissing : .fileMissing))
        }
        for commands in ["root (hd0,0)", "uuid \(fieldRoot)", ""] {
            #expect(try legacy(commands).disk.plan("kvm").stop == nil, "\(commands)")
        }
    }

    /// The firmware counts from the disk that it starts.
    @Test func theBootDiskIsTheFirst() throws {
        func plan(_ device: String, _ code: [BootCode]) throws -> Plan {
            var guest = legacy("root (\(device))")
            guest.disk.partition(3, .ext4, uuid: fieldData, disk: 2)
            guest.disk.bootCode = code
            return try guest.disk.plan("kvm")
        }
        #expect(try plan("hd0,0", [.grubLegacy, .none]).stop == nil)
        #expect(try plan("hd1,2", [.grubLegacy, .none]).stop == .fileMissing)
        #expect(try plan("hd1,0", [.grubLegacy, .none]).stop == .loaderDeviceMissing)
        #expect(try plan("hd0,0", [.none, .grubLegacy]).stop == .loaderDeviceMissing)
        #expect(try plan("hd1,0", [.none, .grubLegacy]).stop == nil)
        #expect(try plan("hd2,0", [.grubLegacy, .none]).stop == .loaderDeviceMissing)
    }

    /// The default gives way to an entry that is looked for on what will be there.
    @Test func theDefaultGivesWay() throws {
        let guest = legacy("root (hd1,0)")
        let more =
            "title B\nroot (hd0,0)\nkernel /boot/vmlinuz-6.1.0-20 root=UUID=\(fieldRoot) ro\ninitrd /boot/initrd.img-6.1.0-20\n"
        guest.root.write("/boot/grub/menu.lst", guest.text("/boot/grub/menu.lst") + more)
        let plan = try guest.disk.patch("kvm")
        #expect(plan.defaultVerdict?.title == "B" && plan.outcome == .bootsWithEdits)
        #expect(guest.text("/boot/grub/menu.lst").hasPrefix("default 1\n"))
    }

    /// Names of what is no disk of the firmware's.
    @Test(arguments: [
        "(fd0)", "(cd)", "hd0,a", "(hd0,msdos1,bsd1)", "md/0", "cryptouuid/00", "lvmid/a/b", "ahci0,msdos1",
        "ata0,msdos1", "ieee1275//disk@0,msdos1", "usb0,1",
    ])
    func aDeviceOfAnotherKindStops(_ name: String) throws {
        let plan = try guest(entry("set root='\(name)'")).disk.plan("kvm", controller: .virtioBlk)
        #expect(
            plan.stop == .loaderDeviceMissing && plan.refusal?.code == .defaultCannot && plan.actions.isEmpty)
        let found = entry("set root='\(name)'\nsearch --fs-uuid --set=root \(fieldRoot)")
        #expect(try guest(found).disk.plan("kvm").outcome == .boots, "the search finds the volume")
    }

    /// What only the running GRUB shows is not known, and nothing that is right by itself is held back.
    @Test(arguments: [
        ("set root='ahci0,msdos1'", Controller.ahci), ("set root='ata0,msdos1'", .ide),
        ("set root='loop'", .virtioBlk), ("set root='tftp,10.0.0.1'", .virtioBlk),
        ("set root='nothing,1'", .virtioBlk),
    ])
    func aDeviceThatOnlyTheLoaderShows(_ commands: String, _ controller: Controller) throws {
        let plan = try guest(entry(commands)).disk.plan("kvm", controller: controller)
        #expect(plan.outcome == .notKnown && plan.refusal == nil)
        #expect(plan.defaultVerdict?.notes.map(\.code) == [.loaderDeviceUnknown])
        guard case .oneMayNot(title: "A", _, let reason) = plan.unknown else {
            Issue.record("it is not said why")
            return
        }
        #expect(reason.code == .loaderDeviceUnknown)
    }

    /// A name may say which table the partition is in.
    @Test func theTableMustBeOfThatKind() throws {
        func plan(_ name: String, _ partUUID: String) throws -> Plan {
            var guest = FieldGuest(["/boot/grub/grub.cfg": entry("set root='\(name)'")])
            guest.disk.volumes[0].partitionUUID = partUUID
            return try guest.disk.plan("kvm")
        }
        let gpt = "33333333-3333-4333-8333-333333333333"
        #expect(try plan("hd0,gpt1", gpt).stop == nil)
        #expect(try plan("hd0,1", gpt).stop == nil)
        #expect(try plan("hd0,msdos1", gpt).stop == .loaderDeviceMissing)
        #expect(try plan("hd0,msdos1", "deadbeef-01").stop == nil)
        #expect(try plan("hd0,gpt1", "deadbeef-01").stop == .loaderDeviceMissing)
    }

    /// A command of GRUB legacy's that fails ends its entry; else the last one before the kernel counts.
    @Test(arguments: [
        ("root (hd1,0)\nroot (hd0,0)", VerdictReason.Code.loaderDeviceMissing),
        ("root (hd0,0)\nroot (hd1,0)", .loaderDeviceMissing), ("root (hd0,1)\nroot (hd0,0)", nil),
        ("root (hd0,0)\nroot (hd0,1)", .fileMissing), ("rootnoverify (hd1,0)\nroot (hd0,0)", nil),
        ("uuid 99999999-1111-4222-8333-444455556666", .loaderDeviceMissing),
        ("root (hd0,a)", .loaderDeviceMissing),
        ("root (hd0,0,a)", .loaderDeviceMissing), ("root (fd0)", .loaderDeviceMissing),
        ("root (cd)", .loaderDeviceMissing),
    ])
    func commandsOfTheLegacyLoader(_ commands: String, _ code: VerdictReason.Code?) throws {
        var guest = legacy(commands)
        guest.disk.partition(2, .swap, uuid: fieldData)
        #expect(try guest.disk.plan("kvm").stop == code)
        #expect(try guest.disk.plan("xenserver").stop == nil, "pygrub reads what lies beside the menu")
    }

    /// Outside of entries a command that fails is only shown.
    @Test func aGlobalCommandThatFails() throws {
        let guest = legacy("root (hd0,0)")
        guest.root.write("/boot/grub/menu.lst", "root (hd1,0)\n" + guest.text("/boot/grub/menu.lst"))
        #expect(try guest.disk.plan("kvm").outcome == .boots)
    }

    @Test func theNetworkOfTheLegacyLoader() throws {
        #expect(try legacy("root (nd)").disk.plan("kvm").outcome == .notKnown)
    }

    /// What stands behind the kernel counts for the initramfs alone.
    @Test func theOrderOfCommandsCounts() throws {
        let menu =
            "set default=0\nmenuentry A {\n\tset root='hd0,msdos1'\n\tlinux /boot/vmlinuz-6.1.0-20 root=UUID=\(fieldRoot) ro\n\tset root='hd0,msdos2'\n\tinitrd /initrd.img-6.1.0-20\n}\n"
        var guest = FieldGuest(["/boot/grub/grub.cfg": menu])
        let data = guest.disk.partition(2, .ext4, uuid: fieldData)
        data.write("/initrd.img-6.1.0-20", "-rom1fs-")
        #expect(try guest.disk.plan("kvm").outcome == .boots)
        guest.root.write("/boot/grub/grub.cfg", menu.replacing("'hd0,msdos2'", with: "'hd0,msdos1'"))
        #expect(try guest.disk.plan("kvm").stop == .fileMissing)
    }

    @Test func names() {
        #expect(GRUBDevice("(hd1,0)", countsFromZero: true)?.partition == 1)
        #expect(GRUBDevice("hd1,msdos1", countsFromZero: false)?.partition == 1)
        #expect(GRUBDevice("hd12,gpt3", countsFromZero: false)?.disk == 12)
        for name in ["(hd1,0", "hd", "hd1,msdos0", "hd1,1,bsd1", "cd0", "ahci0,msdos1", "hd1,a", "md/0"] {
            #expect(GRUBDevice(name, countsFromZero: false) == nil, "\(name)")
        }
    }
}

/// A /boot of its own: paths count from there, or from the root of some one volume.
@Suite struct SeparateBootPathTests {
    private func guest(_ path: String, legacy: Bool = false) -> (disk: TestGuest, boot: MemoryFileSystem) {
        var disk = TestGuest()
        disk.bootCode = [legacy ? .grubLegacy : .grub2]
        let boot = disk.partition(1, .ext4, uuid: fieldData)
        let root = disk.partition(2, .ext4, uuid: fieldRoot)
        root.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
        root.write(
            "/etc/fstab", "UUID=\(fieldRoot) / ext4 defaults 0 1\nUUID=\(fieldData) /boot ext4 defaults 0 2\n"
        )
        root.makeDirectory("/boot")
        root.link("/vmlinuz", to: "boot/vmlinuz-6.1.0-20")
        boot.write("/vmlinuz-6.1.0-20", "kernel")
        boot.write("/initrd.img-6.1.0-20", "-rom1fs-")
        let menu =
            legacy
            ? "default 0\ntitle A\nkernel \(path) root=UUID=\(fieldRoot) ro\ninitrd /initrd.img-6.1.0-20\n"
            : "set default=0\nmenuentry A {\n\tlinux \(path) root=UUID=\(fieldRoot) ro\n\tinitrd /initrd.img-6.1.0-20\n}\n"
        boot.write(legacy ? "/grub/menu.lst" : "/grub/grub.cfg", menu)
        return (disk, boot)
    }

    @Test(arguments: [false, true]) func pathsCountFromTheMenusVolume(_ legacy: Bool) throws {
        #expect(try guest("/vmlinuz-6.1.0-20", legacy: legacy).disk.plan("kvm").outcome == .boots)
        for path in ["/boot/vmlinuz-6.1.0-20", "/vmlinuz"] {
            let plan = try guest(path, legacy: legacy).disk.plan("kvm")
            #expect(plan.stop == .fileMissing && plan.refusal?.code == .defaultCannot, "\(path)")
            #expect(plan.actions.isEmpty)
            #expect(try guest(path, legacy: legacy).disk.plan("xenserver").stop == nil)
        }
    }

    /// What lies by that path on another volume is not what this loader reads.
    @Test(arguments: [false, true]) func aPathOfAnotherVolume(_ legacy: Bool) throws {
        let disk = guest("/old/vmlinuz", legacy: legacy).disk
        let root = try #require(disk.fileSystems[1] as? MemoryFileSystem)
        root.write("/old/vmlinuz", "kernel")
        let plan = try disk.plan("kvm")
        #expect(plan.stop == .fileMissing && plan.refusal?.code == .defaultCannot)
    }

    /// Debian's /boot has a link to itself.
    @Test func aLinkToItself() throws {
        let (disk, boot) = guest("/boot/vmlinuz-6.1.0-20")
        boot.link("/boot", to: ".")
        #expect(try disk.plan("kvm").outcome == .boots)
    }

    /// What UEFI's GRUB begins with only its stub shows; a path that no volume has is none all the same.
    @Test func byUEFI() throws {
        var (disk, _) = guest("/boot/vmlinuz-6.1.0-20")
        let system = disk.partition(3, .vfat, uuid: "ABCD-1234", type: "EFI System")
        system.write("/EFI/BOOT/BOOTX64.EFI", "MZ")
        #expect(try disk.plan("kvm").stop == .fileMissing)
        var (other, _) = guest("/vmlinuz-6.1.0-20")
        other.partition(3, .vfat, uuid: "ABCD-1234", type: "EFI System").write(
            "/EFI/BOOT/BOOTX64.EFI", "MZ")
        #expect(try other.plan("kvm").stop == nil)
        // A volume that cannot be read may have the path.
        other = guest("/boot/vmlinuz-6.1.0-20").disk
        other.partition(3, .vfat, uuid: "ABCD-1234", type: "EFI System")
        other.partition(4, .btrfs, uuid: "44444444-4444-4444-8444-444444444444", readable: false)
        #expect(try other.plan("kvm").stop == nil)
    }
}

/// Menus that GRUB legacy shows in place of its own.
@Suite struct LegacyMenuFileTests {
    private let kernel = "kernel /boot/vmlinuz-6.1.0-20 root=/dev/sda1 ro\ninitrd /boot/initrd.img-6.1.0-20\n"

    @Test(arguments: [
        "default 1\ntitle A\nkernel /boot/gone root=/dev/sda1\ntitle More\nconfigfile (hd0,0)/boot/grub/more.lst\n",
        "configfile /boot/grub/more.lst\n",
    ])
    func theirNamesAreReplacedAndTheirDefaultCounts(_ menu: String) throws {
        let guest = FieldGuest([
            "/boot/grub/menu.lst": menu,
            "/boot/grub/more.lst":
                "default 1\ntitle X\n\(kernel)title Y\n\(kernel)configfile /boot/grub/menu.lst\n",
        ])
        guest.root.remove("/boot/grub/grub.cfg")
        var disk = guest.disk
        disk.bootCode = [.grubLegacy]
        let plan = try disk.patch("kvm")
        #expect(plan.defaultVerdict?.title == "Y" && plan.outcome == .bootsWithEdits)
        #expect(!guest.text("/boot/grub/more.lst").contains("/dev/sda1"))
    }
}

/// Default entries that start no kernel themselves, and what they start is not there.
@Suite struct ChainedEntryTests {
    private static let linux =
        "kernel /boot/vmlinuz-6.1.0-20 root=UUID=\(fieldRoot) ro\ninitrd /boot/initrd.img-6.1.0-20\n"

    private func plan(_ entry: String, legacy: Bool, alone: Bool = false) throws -> Plan {
        let menu =
            legacy
            ? "default 0\ntitle Other\n\(entry)\n" + (alone ? "" : "title A\nroot (hd0,0)\n\(Self.linux)")
            : "set default=0\nmenuentry Other {\n\(entry)\n}\n" + (alone ? "" : FieldGuest.entry("A"))
        var guest = FieldGuest([legacy ? "/boot/grub/menu.lst" : "/boot/grub/grub.cfg": menu])
        if legacy { guest.root.remove("/boot/grub/grub.cfg") }
        guest.disk.bootCode = [legacy ? .grubLegacy : .grub2]
        return try guest.disk.plan("kvm")
    }

    @Test(arguments: [
        ("rootnoverify (hd1,0)\nchainloader +1", true), ("chainloader (hd1,0)+1", true),
        ("root (hd0,6)\nmakeactive\nchainloader +1", true), ("configfile /boot/grub/gone.lst", true),
        ("root (hd1,0)\nconfigfile /boot/grub/menu.lst", true),
        ("set root='hd1,msdos1'\nchainloader +1", false), ("chainloader (hd1,1)+1", false),
        ("configfile /boot/grub/gone.cfg", false), ("configfile (hd2,1)/boot/grub/grub.cfg", false),
    ])
    func theDefaultGivesWay(_ entry: String, _ legacy: Bool) throws {
        let plan = try plan(entry, legacy: legacy)
        #expect(plan.defaultVerdict?.title == "A" && plan.outcome == .bootsWithEdits)
        let alone = try self.plan(entry, legacy: legacy, alone: true)
        #expect(alone.outcome == .notKnown || alone.refusal != nil)
        if let unknown = alone.unknown {
            guard case .startsNoKernel("Other", _?) = unknown else {
                Issue.record("it is not said why: \(unknown)")
                return
            }
        }
    }

    /// What is there may be anything; maps of the firmware's disks count for nothing but what is chained to.
    @Test(arguments: [
        ("rootnoverify (hd0,0)\nchainloader +1", true), ("chainloader +1", true),
        ("set root='hd0,msdos1'\nchainloader +1", false),
        ("search --fs-uuid --set=root 1234-ABCD\nchainloader /EFI/Microsoft/Boot/bootmgfw.efi", false),
    ])
    func whatIsThereStays(_ entry: String, _ legacy: Bool) throws {
        let plan = try plan(entry, legacy: legacy)
        #expect(plan.outcome == .notKnown && plan.actions.isEmpty)
        guard case .startsNoKernel("Other", nil)? = plan.unknown else {
            Issue.record("\(String(describing: plan.unknown))")
            return
        }
    }

    @Test func mapsOfDisksStopNoKernel() throws {
        let plan = try plan("map (hd0) (hd1)\nmap (hd1) (hd0)\nroot (hd0,0)\n\(Self.linux)", legacy: true)
        #expect(plan.outcome == .boots && plan.defaultVerdict?.title == "Other")
    }
}

/// A guest without anything to start is no guest of which nobody knows.
@Suite struct NoKernelTests {
    private func guest(_ files: [String: String] = [:]) -> (disk: TestGuest, boot: MemoryFileSystem) {
        var disk = TestGuest()
        disk.standsIn = false
        disk.bootCode = [.grub2]
        let root = disk.partition(1, .ext4, uuid: fieldRoot)
        let boot = disk.partition(2, .xfs, uuid: fieldData)
        root.write("/etc/os-release", "ID=rocky\nVERSION_ID=9.4\n")
        root.write(
            "/etc/fstab", "UUID=\(fieldRoot) / ext4 defaults 0 0\nUUID=\(fieldData) /boot xfs defaults 0 0\n")
        root.makeDirectory("/boot")
        for (path, text) in files { boot.write(path, text) }
        return (disk, boot)
    }

    @Test func anEmptyBootCannot() throws {
        let plan = try guest().disk.plan("kvm")
        #expect(plan.refusal?.code == .noKernel && plan.actions.isEmpty)
        #expect(plan.refusal?.sentence.plain.contains("/boot, which is p2 (xfs), is empty") == true)
        #expect(try guest().disk.plan("xenserver").refusal == nil, "the host may have the kernel")
    }

    /// A menu alone starts nothing either.
    @Test func aMenuWithoutKernels() throws {
        let plan = try guest(["/grub2/grub.cfg": FieldGuest.entry("A").replacing("/boot/", with: "/")]).disk
            .plan("kvm")
        #expect(plan.stop == .fileMissing && plan.refusal?.code == .defaultCannot)
    }

    @Test(arguments: [
        "/vmlinuz", "/kernel-genkernel-x86_64-6.1", "/0123456789abcdef0123456789abcdef/6.1.0/linux",
    ])
    func whatMayBeAKernelIsNotKnown(_ path: String) throws {
        let plan = try guest([path: "kernel"]).disk.plan("kvm")
        #expect(plan.refusal?.code != .noKernel)
    }

    @Test func whatCannotBeReadMayHoldIt() throws {
        var (disk, _) = guest()
        disk.partition(3, .btrfs, uuid: "33333333-3333-4333-8333-333333333333")
        disk.fileSystems[2] = nil
        #expect(try disk.plan("kvm").outcome == .notKnown)
    }
}

/// A boot menu that lies where no row of the fstab leads.
@Suite struct UnlistedBootTests {
    private func guest(row: String = "") -> (disk: TestGuest, boot: MemoryFileSystem, root: MemoryFileSystem)
    {
        var disk = TestGuest()
        disk.bootCode = [.grub2]
        let boot = disk.partition(1, .ext4, uuid: fieldData)
        let root = disk.partition(2, .ext4, uuid: fieldRoot)
        root.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
        root.write("/etc/fstab", "/dev/sda2 / ext4 defaults 0 1\n\(row)")
        root.makeDirectory("/boot")
        boot.write("/vmlinuz-6.1.0-20", "kernel")
        boot.write("/initrd.img-6.1.0-20", "-rom1fs-")
        boot.write(
            "/grub/grub.cfg",
            "set default=0\n" + FieldGuest.entry("A", "root=/dev/sda2").replacing("/boot/", with: "/"))
        return (disk, boot, root)
    }

    @Test(arguments: ["", "/dev/sda1 /boot ext4 noauto 0 2\n"])
    func itIsReadAndChanged(_ row: String) throws {
        let (disk, boot, _) = guest(row: row)
        let plan = try disk.patch("kvm")
        #expect(plan.outcome == .bootsWithEdits && plan.defaultVerdict?.title == "A")
        #expect(text(boot.files["/grub/grub.cfg"]).contains("root=UUID=\(fieldRoot)"))
        #expect(try disk.survey().guests.first?.notes.isEmpty == !row.isEmpty)
    }

    /// Two of them: which one is read nobody knows, and half a patch is none.
    @Test func aVolumeThatCannotBeReadMayHoldIt() throws {
        var (disk, _, _) = guest()
        disk.fileSystems[0] = nil
        let plan = try disk.plan("kvm")
        #expect(plan.refusal?.code == .unreadableMenu && plan.actions.isEmpty)
    }

    /// GRUB follows a link inside its own volume alone.
    @Test func aLinkThatLeavesTheVolume() throws {
        let (disk, boot, root) = guest(row: "/dev/sda1 /boot ext4 defaults 0 2\n")
        root.write("/etc/grub.cfg", boot.files["/grub/grub.cfg"] ?? [])
        boot.remove("/grub/grub.cfg")
        boot.link("/grub/grub.cfg", to: "/etc/grub.cfg")
        #expect(try disk.plan("kvm").outcome != .bootsWithEdits)
    }
}
