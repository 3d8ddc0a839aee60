import Patcher
import Storage
import Testing

private let rootUUID = "11111111-1111-4111-8111-111111111111"
private let otherUUID = "22222222-2222-4222-8222-222222222222"

private func menu(_ root: String, kernel: String = "vmlinuz-6.1.0-18-amd64") -> String {
    "set default=0\nmenuentry 'Debian' {\n\tlinux /boot/\(kernel) \(root) ro\n\tinitrd /boot/initrd.img\n}\n"
}

/// One disk: root on partition 1, with these files besides an fstab and a menu that name it by UUID.
private func guest(
    _ files: [String: String] = [:], bootCode: [BootCode] = [.grub2],
    os: String = "ID=debian\nVERSION_ID=12\n"
) -> (disk: TestGuest, root: MemoryFileSystem) {
    var disk = TestGuest()
    disk.bootCode = bootCode
    let root = disk.partition(1, .ext4, uuid: rootUUID)
    root.write("/etc/os-release", os)
    root.write("/etc/fstab", "UUID=\(rootUUID) / ext4 defaults 0 1\n")
    root.write("/boot/grub/grub.cfg", menu("root=UUID=\(rootUUID)"))
    for (path, contents) in files { root.write(path, contents) }
    return (disk, root)
}

/// What stops the boot of the default entry.
private func stop(_ plan: Plan) -> VerdictReason? {
    guard case .cannot(let reason) = plan.defaultVerdict?.outcome else { return nil }
    return reason
}

@Suite struct VerdictTests {
    @Test func whatIsThereBoots() throws {
        let (disk, _) = guest()
        let plan = try disk.plan("kvm")
        #expect(plan.outcome == .boots)
        #expect(plan.machine.firmware == .bios && plan.machine.bootDisk == 0)
        let text = text(PlanText.summary(of: plan, guestTitle: "Debian"))
        #expect(
            text.hasPrefix(
                "Debian: to kvm\nboots: yes, if the drivers are there, which is not known: “Debian”\nmachine: firmware: BIOS; boot disk behind virtio-blk"
            ))
        #expect(text.contains("\nnothing to do\n"))
    }

    @Test(arguments: ["UUID=", "LABEL=", "PARTUUID=", "PARTLABEL=", "/dev/mapper/"])
    func aRootOnNoGivenDiskStops(_ kind: String) throws {
        let root =
            kind == "/dev/mapper/" ? "/dev/mapper/vg-root" : kind + "99999999-1111-4222-8333-444455556666"
        let (disk, _) = guest(["/boot/grub/grub.cfg": menu("root=\(root)")])
        let plan = try disk.plan("kvm")
        guard case .rootUnresolved(root, .noBearer)? = stop(plan) else {
            Issue.record("\(String(describing: stop(plan)))")
            return
        }
        #expect(plan.refusal?.code == .defaultCannot && plan.actions.isEmpty)
    }

    @Test func aRootOfSeveralVolumesIsSaid() throws {
        var (disk, _) = guest()
        disk.partition(2, .ext4, uuid: rootUUID)
        let plan = try disk.plan("kvm")
        #expect(plan.defaultVerdict?.notes == [.rootShared("UUID=\(rootUUID)", volumes: ["p1", "p2"])])
        #expect(plan.refusal == nil)
    }

    @Test func aDiskWithoutBootCodeNeedsPygrub() throws {
        let (disk, _) = guest(bootCode: [.none])
        for target in ["kvm", "vmware", "hyperv", "azure"] {
            let plan = try disk.plan(target)
            #expect(stop(plan)?.code == .noBootCode)
            #expect(plan.refusal?.code == .noBootCode)
        }
        let plan = try disk.plan("xenserver")
        #expect(plan.outcome == .boots && plan.machine.firmware == .pygrub)
        // Emulated disks come with emulated firmware.
        #expect(try disk.plan("xenserver", controller: .ide).refusal?.code == .noBootCode)
    }

    @Test func uefiAloneIsNoBIOS() throws {
        var (disk, _) = guest(bootCode: [.none])
        disk.partition(15, .vfat, uuid: "ABCD-1234", type: "EFI System", readable: false)
        #expect(try disk.plan("hyperv").refusal == .uefiOnly(target: "hyperv"))
        for target in ["kvm", "hyperv-gen2", "vmware"] {
            let plan = try disk.plan(target)
            // What its firmware would start nobody has seen.
            #expect(plan.outcome == .notKnown && plan.actions.isEmpty)
            #expect(plan.machine.firmware == .uefi && plan.machine.bootDisk == 0)
        }
        disk.bootCode = [.grub2]
        #expect(try disk.plan("hyperv").machine.firmware == .bios)
        #expect(try disk.plan("kvm").machine.firmware == .either)
        #expect(try disk.plan("hyperv-gen2").machine.firmware == .uefi)
    }

    /// GRUB 2 reads its own menu and no other's, be that the only one.
    @Test(arguments: [
        (
            "/boot/grub/menu.lst",
            "default 0\ntitle old\nroot (hd0,0)\nkernel /boot/vmlinuz-6.1 root=UUID=\(rootUUID) ro\n"
        ),
        (
            "/boot/extlinux/extlinux.conf",
            "default l\nlabel l\n kernel /boot/vmlinuz-6.1\n append root=UUID=\(rootUUID)\n"
        ),
    ])
    func menusOfAnotherLoader(_ path: String, _ menu: String) throws {
        for (code, isRead) in [(BootCode.grub2, false), (.grubLegacy, true), (.other, true)] {
            let (disk, root) = guest(
                [
                    path: menu, "/boot/vmlinuz-6.1": "x",
                    "/etc/fstab": "UUID=\(rootUUID) / ext4 defaults 0 1\n",
                ],
                bootCode: [code])
            root.remove("/boot/grub/grub.cfg")
            #expect((try disk.plan("kvm").defaultVerdict != nil) == isRead, "\(path) \(code)")
        }
    }

    /// Booted: the firmware's shell, behind each of these with OVMF of Debian.
    @Test func firmwareThatFindsNoDisk() throws {
        var (disk, _) = guest(bootCode: [.none])
        disk.partition(15, .vfat, uuid: "ABCD-1234", type: "EFI System", readable: false)
        for controller in [Controller.pvscsi, .lsisas, .megasas, .sym53c8xx] {
            let plan = try disk.plan("kvm", controller: controller)
            #expect(
                plan.refusal == .firmwareWithoutDriver(controller, target: .kvm))
            #expect(plan.refusal?.sentence.plain.contains("virtio-blk, virtio-scsi, ide, ahci, nvme") == true)
        }
        for controller in [Controller.virtioBlk, .virtioSCSI, .ide, .ahci, .nvme] {
            #expect(try disk.plan("kvm", controller: controller).refusal == nil)
        }
        #expect(try disk.plan("vmware", controller: .pvscsi).refusal == nil)
        // A BIOS starts it too.
        disk.bootCode = [.grub2]
        #expect(try disk.plan("kvm", controller: .megasas).refusal == nil)
    }

    @Test func uefiWithoutALoaderStops() throws {
        let (disk, _) = guest()
        #expect(try disk.plan("hyperv-gen2").refusal == .noUEFILoader(target: "hyperv-gen2"))
    }

    @Test func theDiskWithTheLoaderIsNamed() throws {
        var disk = TestGuest()
        disk.bootCode = [.none, .grub2]
        disk.partition(1, .ext4, uuid: otherUUID)
        let root = disk.partition(1, .ext4, uuid: rootUUID, disk: 2)
        root.write("/etc/fstab", "UUID=\(rootUUID) / ext4 defaults 0 1\n")
        root.write("/boot/grub/grub.cfg", menu("root=UUID=\(rootUUID)"))
        let plan = try disk.plan("kvm")
        #expect(plan.outcome == .boots && plan.machine.bootDisk == 1)
        #expect(plan.machine.summary.contains("disk 2 has the boot loader"))
    }

    @Test(arguments: ["/", "/usr", "/var", "/boot/efi"])
    func aNeededRowThatIsNotThereStops(_ mountPoint: String) throws {
        let row = "UUID=\(otherUUID) \(mountPoint) ext4 defaults 0 2\n"
        let root = mountPoint == "/" ? "" : "UUID=\(rootUUID) / ext4 defaults 0 1\n"
        let (disk, _) = guest(["/etc/fstab": root + row])
        let plan = try disk.plan("kvm")
        #expect(stop(plan)?.code == .rowStopsBoot)
        #expect(plan.actions.isEmpty && plan.refusal?.sentence.plain.contains(mountPoint) == true)
        let (allowed, _) = guest(["/etc/fstab": root + row.replacing("defaults", with: "nofail")])
        #expect(try allowed.plan("kvm").refusal == nil)
    }

    /// A file system without a partition table around it, whose fstab knows partitions.
    @Test func aRootRowThatStandsForNothingIsNoSuccess() throws {
        var disk = TestGuest()
        let root = disk.wholeDisk(1, .ext4, uuid: rootUUID)
        root.write("/etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n")
        #expect(try disk.plan("kvm").refusal?.code == .rowStopsBoot)
    }

    @Test func withoutAMenuNobodyKnows() throws {
        let (disk, root) = guest()
        root.remove("/boot/grub/grub.cfg")
        let plan = try disk.plan("kvm")
        #expect(plan.outcome == .notKnown)
        #expect(text(PlanText.summary(of: plan, guestTitle: "Debian")).contains("\nboots: not known: "))
    }

    private let oldMenu =
        "default 0\ntitle Old\nkernel /boot/vmlinuz-2.6.18-6-686 root=/dev/hda1 ro\ninitrd /boot/initrd.img-2.6.18\n"

    /// By what the first sector starts, and without it by the kernels that are there.
    @Test(arguments: [[BootCode.grub2], [.other], []])
    func aMenuThatIsLeftOverDecidesNothing(_ code: [BootCode]) throws {
        let (disk, _) = guest(
            [
                "/boot/grub/menu.lst": oldMenu, "/boot/vmlinuz-6.1.0-18-amd64": "kernel",
                "/boot/initrd.img": "-rom1fs-",
            ], bootCode: code)
        let plan = try disk.plan("kvm")
        #expect(plan.verdicts.filter(\.isDefault).map(\.title) == ["Debian"])
        #expect(plan.refusal == nil && stop(plan) == nil)
        #expect(plan.verdicts.first { $0.title == "Old" }?.notes.contains(.menuNotInUse) == true)
    }

    @Test func theLegacyLoaderReadsTheLegacyMenu() throws {
        let (disk, _) = guest(
            ["/boot/grub/menu.lst": oldMenu.replacing("/dev/hda1", with: "/dev/sda1")],
            bootCode: [.grubLegacy])
        #expect(try disk.plan("kvm").verdicts.filter(\.isDefault).map(\.title) == ["Old"])
    }

    /// Nor does a name of Xen's kind make another menu the one that counts, which goes when the name is replaced. Without anything
    /// that firmware would start, pygrub does, and reads any.
    @Test(arguments: [nil, Hypervisor.xenserver], [Controller.xenBlkfront, .ide])
    func namesOfXenChangeNothingOfWhatTheBootCodeReads(_ source: Hypervisor?, _ controller: Controller) throws
    {
        let files = [
            "/etc/fstab": "/dev/xvda1 / ext4 defaults 0 1\n", "/boot/vmlinuz-6.1": "kernel",
            "/boot/initrd.img": "-rom1fs-",
            "/boot/grub/grub.cfg": menu("root=/dev/xvda1", kernel: "vmlinuz-gone"),
            "/boot/grub/menu.lst":
                "default 0\ntitle Old\nroot (hd0,0)\nkernel /boot/vmlinuz-6.1 root=/dev/xvda1 ro\ninitrd /boot/initrd.img\n",
        ]
        var (disk, _) = guest(files)
        if let source { disk.presentation = SourcePresentation(hypervisor: source) }
        let plan = try disk.plan("xenserver", controller: controller)
        #expect(stop(plan) == .fileMissing("/boot/vmlinuz-gone") && plan.actions.isEmpty)
        #expect(plan.verdicts.filter(\.isDefault).map(\.title) == ["Debian"])
        let bios = plan.boot.first { $0.firmware == .bios }
        #expect(bios?.steps.dropFirst().first?.place == "/boot/grub/grub.cfg")
        guard controller == .xenBlkfront else { return }
        disk.bootCode = [.none]
        let started = try disk.plan("xenserver", controller: controller)
        #expect(started.refusal == nil && started.machine.firmware == .pygrub)
        #expect(started.verdicts.filter(\.isDefault).map(\.title) == ["Old"])
    }

    @Test func liloIsNoneOfTheMenusBesideIt() throws {
        let lilo = "boot=/dev/sda\nimage=/boot/vmlinuz\n root=/dev/sda1\n label=Linux\n"
        let (disk, _) = guest(["/etc/lilo.conf": lilo], bootCode: [.lilo])
        #expect(try disk.plan("kvm").refusal?.code == .defaultCannot)
        let (left, _) = guest(["/etc/lilo.conf": lilo], bootCode: [.grub2])
        #expect(try left.plan("kvm").outcome == .boots)
    }

    @Test func argumentsThatCannotBeReadAndMayNameDevices() throws {
        let entry = "title RHEL\nversion 4.18\nlinux /vmlinuz-4.18\ninitrd /i.img\noptions $kernelopts\n"
        for (spec, code) in [
            ("/dev/sda1", VerdictReason.Code.argumentsUnreadable), ("UUID=\(rootUUID)", nil),
        ] {
            let (disk, root) = guest([
                "/etc/fstab": "\(spec) / ext4 defaults 0 1\n", "/boot/loader/entries/a-4.18.conf": entry,
            ])
            root.remove("/boot/grub/grub.cfg")
            let plan = try disk.plan("kvm")
            #expect(stop(plan)?.code == code)
            #expect(plan.actions.isEmpty)
            if code == nil { #expect(plan.defaultVerdict?.notes == [.argumentsElsewhere]) }
        }
    }

    @Test func aDefaultThatWasNotReadIsNoneOfTheEntries() throws {
        var (disk, root) = guest(bootCode: [.none])
        root.remove("/boot/grub/grub.cfg")
        disk.partition(2, .vfat, uuid: "ABCD-1234", type: "EFI System", readable: false)
        for name in ["new", "old"] {
            root.write(
                "/boot/loader/entries/\(name).conf",
                "title \(name)\nlinux /vmlinuz-6\ninitrd /i\noptions root=UUID=\(rootUUID)\n")
        }
        let plan = try disk.plan("kvm")
        #expect(plan.refusal == nil && plan.defaultVerdict == nil)
        #expect(plan.advice.contains { $0.message.plain.contains("loader.conf on p2") })
    }

    /// What a generator wrote is not edited, and its initramfs has the same names.
    @Test(arguments: ["/nix/store", "/gnu/store"])
    func generatedFilesStay(_ store: String) throws {
        let (disk, root) = guest(["\(store)/aaaa-fstab": "/dev/sda1 / ext4 defaults 0 1\n"])
        root.remove("/etc/fstab")
        root.link("/etc/fstab", to: "\(store)/aaaa-fstab")
        let plan = try disk.plan("kvm")
        #expect(plan.refusal?.code == .generatedFile && plan.actions.isEmpty)
    }

    /// A directory `efi` is where the partition is mounted; what is in it nobody has seen.
    @Test func aMountPointIsNotTheLoadersFolder() throws {
        var (disk, root) = guest(bootCode: [.none])
        disk.partition(2, .vfat, uuid: "ABCD-1234", type: "EFI System", readable: false)
        root.write(
            "/etc/fstab", "UUID=\(rootUUID) / ext4 defaults 0 1\nUUID=ABCD-1234 /boot/efi vfat defaults 0 1\n"
        )
        root.makeDirectory("/boot/efi")
        let advice = try disk.plan("kvm").advice.map(\.message.plain).joined(separator: "\n")
        #expect(advice.contains("BOOTX64.EFI") && !advice.contains("missing"))
    }

    /// The generic code starts what the active partition's own first sector holds, and nothing else.
    @Test func genericBootCode() throws {
        func code(active: Int?, type: UInt8 = 0x83, _ start: UInt8 = 8, partition: [UInt8]) throws -> BootCode
        {
            var sector = [UInt8](repeating: 0, count: 512)
            sector[0] = 0x33
            for (index, byte) in "Invalid partition table\0".utf8.enumerated() {
                sector[0x120 + index] = byte
            }
            sector[450] = 0xee
            if let active {
                sector[446 + 16 * active] = 0x80
                sector[450 + 16 * active] = type
                sector[454 + 16 * active] = start
            }
            (sector[510], sector[511]) = (0x55, 0xaa)
            return try BootCode(firstSector: sector) { (number) throws(StorageError) in
                number == UInt64(start) ? partition : []
            }
        }
        var grub = [UInt8](repeating: 0, count: 512)
        for (index, byte) in "GRUB \0Geom\0Hard Disk\0Read\0 Error\r\n\0".utf8.enumerated() {
            grub[0x180 + index] = byte
        }
        #expect(try code(active: nil, partition: grub) == .none)
        #expect(try code(active: 1, type: 0, partition: grub) == .none)
        #expect(try code(active: 1, partition: grub) == .grub2)
        #expect(try code(active: 3, partition: [UInt8](repeating: 0, count: 512)) == .none)
        #expect(try code(active: 3, partition: []) == .none)
        #expect(try code(active: 0, partition: [UInt8](repeating: 0x90, count: 512)) == .other)
    }

    /// LILO reads a map of its own, and no other loader's menu.
    @Test func liloWithoutAMenuOfItsOwn() throws {
        let (disk, _) = guest(bootCode: [.lilo])
        #expect(try disk.plan("kvm").outcome != .boots)
        for code in [BootCode.grub2, .grubLegacy, .other] {
            let (right, _) = guest(bootCode: [code])
            #expect(try right.plan("kvm").outcome == .boots)
        }
    }

    @Test func firstSectors() {
        func code(_ text: String, at offset: Int) -> BootCode {
            var sector = [UInt8](repeating: 0, count: 512)
            sector[0] = 0xeb
            for (index, byte) in text.utf8.enumerated() { sector[offset + index] = byte }
            return BootCode(firstSector: sector)
        }
        #expect(code("GRUB \0Geom\0Hard Disk\0Read\0 Error\r\n\0", at: 0x180) == .grub2)
        #expect(code("GRUB \0Geom\0Hard Disk\0Read\0 Error\0", at: 0x180) == .grubLegacy)
        #expect(code("LILO", at: 6) == .lilo)
        #expect(code("Missing operating system", at: 0x100) == .other)
        var empty = [UInt8](repeating: 0, count: 512)
        // A table and its signature are no program.
        for index in 440..<512 { empty[index] = 0x55 }
        #expect(BootCode(firstSector: empty) == .none)
        #expect(BootCode(firstSector: []) == .none)
    }
}
