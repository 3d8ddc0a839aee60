import Patcher
import Storage
import TestSupport
import Testing

private let base = ["ext4", "scsi_mod", "sd_mod"]
private let piix = base + ["libata", "ata_piix"]
private let virtio = ["ext4", "virtio", "virtio_ring", "virtio_pci", "virtio_blk"]

/// What an initramfs and the kernel's modules say of the boot.
@Suite struct DriverVerdictTests {
    private func words(_ plan: Plan) -> [String] {
        plan.controllers.map { "\($0.controller.rawValue) \($0.word)" }
    }

    @Test(arguments: [nil, "gzip", "xz --check=crc32", "zstd -q", "lz4 -l", "bzip2"]) func allThere(
        _ pack: String?
    ) throws {
        let plan = try DriverGuest(holding: virtio, pack: pack).plan("kvm")
        #expect(plan.verdicts.map(\.drivers) == [.present])
        #expect(plan.verdicts.map(\.summary) == ["boots (drivers present)"])
        #expect(plan.way == .asIs)
        #expect(plan.controller == .virtioBlk)
        #expect(plan.areDriversKnown)
        #expect(text(PlanText.summary(of: plan, guestTitle: "A")).contains("\nboots: yes: “Debian”\n"))
    }

    /// Microcode before it, and a second file that has the driver.
    @Test func filesAreJoined() throws {
        let menu = DriverGuest.entry("Debian", initrd: "/boot/ucode.img /boot/a.img /boot/b.img")
        let guest = try DriverGuest(holding: nil, menu: menu)
        guest.root.write(
            "/boot/ucode.img",
            try guest.archive("mkdir -p kernel/x86/microcode; echo x >kernel/x86/microcode/GenuineIntel.bin"))
        // The loader fills up to a multiple of four.
        var first = try guest.image(base, pack: "gzip")
        while first.count % 4 != 1 { first.append(0) }
        guest.root.write("/boot/a.img", first)
        guest.root.write("/boot/b.img", try guest.image(virtio))
        #expect(try guest.plan("kvm").verdicts.map(\.drivers) == [.present])
    }

    /// The first of the target's controllers that the guest drives; who chose one keeps it.
    @Test func anotherControllerIsCheaper() throws {
        let guest = try DriverGuest(holding: piix)
        let plan = try guest.plan("kvm")
        #expect(plan.controller == .ide)
        #expect(plan.machine.controller == .ide)
        #expect(plan.way == .otherController)
        #expect(plan.verdicts.map(\.drivers) == [.present])
        #expect(plan.refusal == nil)
        #expect(
            words(plan) == [
                "virtio-blk missing", "virtio-scsi no-such-driver", "ide present", "ahci missing",
                "nvme no-such-driver", "pvscsi no-such-driver", "lsisas no-such-driver",
                "megasas no-such-driver", "sym53c8xx no-such-driver",
            ])
        let summary = text(PlanText.summary(of: plan, guestTitle: "A"))
        #expect(summary.contains("drivers: ide, the first of the target's that the guest has drivers for\n"))
        #expect(summary.contains("driven by the guest as it is: ide\n"))
        #expect(try guest.plan("kvm", drivers: .never).controller == .ide)
        #expect(try guest.plan("kvm", controller: .virtioBlk, drivers: .never).controller == .virtioBlk)
    }

    @Test func whatIsMissingAndNotWanted() throws {
        let plan = try DriverGuest(holding: piix).plan("kvm", controller: .ahci, drivers: .never)
        #expect(plan.verdicts.map(\.drivers) == [.missing(["ahci"], .unwanted)])
        #expect(plan.actions.isEmpty)
        guard case .defaultCannot(_, .driversMissing(["ahci"], .ahci, .unwanted), _) = plan.refusal else {
            Issue.record("\(String(describing: plan.refusal))")
            return
        }
        #expect(
            plan.verdicts[0].outcome == .cannot(.driversMissing(["ahci"], .ahci, .unwanted)))
        #expect(plan.verdicts[0].symptom == "Gave up waiting for root file system device")
    }

    @Test func aKernelWithoutTheDriver() throws {
        let plan = try DriverGuest(holding: piix).plan("kvm", controller: .nvme)
        #expect(
            plan.verdicts.map(\.drivers)
                == [.noSuchDriver("NVM Express", release: DriverGuest.release)])
        #expect(plan.refusal?.code == .defaultCannot)
        #expect(plan.refusal?.sentence.plain.contains("no such driver in /lib/modules/6.1.0-9-amd64") == true)
    }

    /// What is damaged is said, and decides nothing.
    @Test func aDamagedImage() throws {
        let guest = try DriverGuest(holding: virtio)
        guest.root.write("/boot/initrd.img-\(DriverGuest.release)", "-rom1fs-, which is not looked into")
        let plan = try guest.plan("kvm")
        guard case .unreadable = plan.verdicts[0].drivers else {
            Issue.record("\(plan.verdicts[0].drivers)")
            return
        }
        #expect(plan.refusal == nil)
        #expect(plan.controller == .virtioBlk)
        #expect(!plan.areDriversKnown)
        #expect(plan.verdicts[0].summary.plain.contains("unreadable: "))
        let summary = text(PlanText.summary(of: plan, guestTitle: "A"))
        #expect(summary.contains("boots: yes, if the drivers are there, which is not known: “Debian”"))
    }

    /// An initrd of before 2006 is a file system, which its driver opens.
    @Test func anInitrdThatIsAFileSystem() throws {
        var guest = try DriverGuest(holding: nil)
        var bytes = [UInt8](repeating: 0, count: 8192)
        bytes.replaceSubrange(1080..<1082, with: [0x53, 0xef])
        guest.root.write("/boot/initrd.img-\(DriverGuest.release)", bytes)
        #expect(!(try guest.plan("kvm").areDriversKnown))
        let held = virtio
        guest.guest.openOldRoot = { (device) throws(StorageError) in
            // The device is the image.
            #expect(device.byteCount == 8192)
            let tree = MemoryFileSystem(kind: .ext2)
            for name in held { tree.write("/lib/\(name).ko", "x") }
            tree.write("/linuxrc", "#!/bin/nash\ninsmod /lib/ext4.ko\n")
            return tree
        }
        let plan = try guest.plan("kvm")
        #expect(plan.verdicts.map(\.drivers) == [.present])
        #expect(plan.areDriversKnown)
        // Nothing can be added to it.
        let other = try guest.plan("kvm", controller: .ahci)
        guard case .missing(_, .impossible(let why)) = other.verdicts[0].drivers else {
            Issue.record("\(other.verdicts[0].drivers)")
            return
        }
        #expect(why.contains("the image is a file system (ext2)"))
        #expect(other.actions.isEmpty)
    }

    @Test func anImageThatIsNotThere() throws {
        let plan = try DriverGuest(holding: nil).plan("kvm")
        #expect(plan.verdicts.map(\.drivers) == [.notChecked])
        // The loader would not find it either.
        guard case .defaultCannot(_, .fileMissing, on: _)? = plan.refusal else {
            Issue.record("\(String(describing: plan.refusal))")
            return
        }
    }

    /// Everything must be built in then.
    @Test func anEntryWithoutInitramfs() throws {
        let menu = DriverGuest.entry("Debian", initrd: nil).replacing(
            "root=UUID=\(DriverGuest.rootUUID)", with: "root=/dev/vda1")
        let guest = try DriverGuest(holding: nil, menu: menu)
        let plan = try guest.plan("kvm", controller: .virtioBlk)
        guard case .missing(let names, .noInitramfs) = plan.verdicts[0].drivers else {
            Issue.record("\(plan.verdicts[0].drivers)")
            return
        }
        #expect(names.contains("virtio_blk"))
        // Another kernel of the release, with all of that inside.
        let inside = ["virtio", "virtio_ring", "virtio_pci", "virtio_blk", "ext4"]
        guest.write(DriverGuest.modules.filter { !inside.contains($0.name) })
        guest.root.write(
            "/lib/modules/\(DriverGuest.release)/modules.builtin",
            inside.map { "kernel/\($0).ko\n" }.joined())
        for name in inside {
            guest.root.remove("/lib/modules/\(DriverGuest.release)/kernel/drivers/\(name).ko")
        }
        #expect(try guest.plan("kvm", controller: .virtioBlk).verdicts.map(\.drivers) == [.present])
    }

    /// The root's own layers count too, where they are known to be missing.
    @Test func theRootsFileSystem() throws {
        let guest = try DriverGuest(holding: Array(virtio.dropFirst()))
        #expect(
            try guest.plan("kvm", drivers: .never).verdicts.map(\.drivers) == [.missing(["ext4"], .unwanted)])
    }

    @Test func modulesOfAnotherKernelOrMachine() throws {
        let guest = try DriverGuest(holding: piix)
        let path = "/lib/modules/\(DriverGuest.release)/kernel/drivers/ahci.ko"
        for object in [
            DriverGuest.object(.init(name: "ahci"), machine: 183), [UInt8]("no object".utf8),
        ] {
            guest.root.write(path, object)
            // A program of the guest shows its processor.
            guest.root.write("/sbin/init", DriverGuest.object(.init(name: "init")))
            let plan = try guest.plan("kvm", controller: .ahci)
            // It is not in the initramfs, that is certain, and what there is cannot be added.
            guard case .missing(["ahci"], .impossible) = plan.verdicts[0].drivers else {
                Issue.record("\(plan.verdicts[0].drivers)")
                return
            }
            #expect(plan.refusal?.code == .defaultCannot)
            #expect(plan.actions.isEmpty)
            #expect(try guest.plan("kvm").controller == .ide)
        }
    }

    /// Hyper-V's disks are the synthetic driver's since 3.5, unless ata_piix is told to take them.
    @Test func aKernelArgumentOnHyperV() throws {
        let guest = try DriverGuest(holding: piix)
        let plan = try guest.plan("hyperv")
        #expect(plan.controller == .ide)
        #expect(plan.way == .kernelArgument("ata_piix.prefer_ms_hyperv=0"))
        #expect(plan.verdicts.map(\.drivers) == [.present])
        try guest.guest.apply(plan)
        #expect(text(guest.root.files["/boot/grub/grub.cfg"]).contains("ro ata_piix.prefer_ms_hyperv=0\n"))
        let again = try guest.plan("hyperv")
        #expect(again.way == .asIs)
        #expect(again.actions.isEmpty)
        let synthetic = try DriverGuest(holding: base + ["hv_vmbus", "hv_storvsc"])
        #expect(try synthetic.plan("hyperv").way == .asIs)
        #expect(try synthetic.plan("hyperv").actions.isEmpty)
        // Asked for the emulated disks, it is not told to take what it cannot.
        #expect(try synthetic.plan("hyperv", controller: .ide).actions.isEmpty)
        let skipped = try DriverGuest(holding: piix)
        var request = PlanRequest(target: .hyperv, skip: [.kernelOptions])
        request.drivers = .never
        let left = try Planner.plan(try #require(try skipped.guest.survey().guests.first), request)
        #expect(left.verdicts.map(\.drivers) == [.needsArgument("ata_piix.prefer_ms_hyperv=0")])
        #expect(left.refusal?.code == .defaultCannot)
    }

    @Test func aKernelArgumentOnXen() throws {
        let plan = try DriverGuest(holding: piix).plan("xenserver")
        #expect(plan.controller == .ide)
        #expect(plan.way == .kernelArgument("xen_emul_unplug=never"))
        #expect(plan.verdicts.map(\.drivers) == [.present])
        // A kernel without the paravirtual driver leaves them.
        let plain = try DriverGuest(
            holding: piix, modules: DriverGuest.modules.filter { $0.name != "xen_blkfront" })
        #expect(try plain.plan("xenserver").way == .otherController)
    }

    /// The distribution's image for any machine comes before anything is added.
    @Test func theFallbackEntry() throws {
        let menu =
            "set default=0\n" + DriverGuest.entry("Linux", initrd: "/boot/initramfs-linux.img")
            + DriverGuest.entry("Linux fallback", initrd: "/boot/initramfs-linux-fallback.img")
        let guest = try DriverGuest(
            holding: nil, modules: DriverGuest.modules.filter { $0.name != "ata_piix" }, menu: menu)
        guest.root.write("/boot/initramfs-linux.img", try guest.image(base))
        guest.root.write("/boot/initramfs-linux-fallback.img", try guest.image(base + virtio))
        let plan = try guest.plan("kvm")
        #expect(plan.way == .fallback)
        #expect(plan.controller == .virtioBlk)
        #expect(plan.defaultVerdict?.title == "Linux fallback")
        #expect(plan.defaultVerdict?.drivers == .present)
        #expect(!plan.actions.contains { if case .create = $0.kind { true } else { false } })
        #expect(
            plan.verdicts.first?.drivers
                == .missing(["virtio", "virtio_ring", "virtio_pci", "virtio_blk"], .besideGeneral))
        #expect(
            !text(PlanText.summary(of: plan, guestTitle: "A")).contains("drivers that can be had adds them"))
        #expect(try guest.plan("kvm", drivers: .never).refusal?.code == .defaultCannot)
        try guest.guest.apply(plan)
        let again = try guest.plan("kvm")
        #expect(again.actions.isEmpty && again.outcome == .boots && again.controller == plan.controller)
        #expect(again.verdicts.map(\.drivers) == plan.verdicts.map(\.drivers))
        guest.root.write("/boot/initramfs-linux-fallback.img", try guest.image(base))
        #expect(try guest.plan("kvm").way != .fallback)
    }

    /// A rescue kernel is that of the day of installation: modules for the one in use come before it, and it is the last way.
    @Test(arguments: [(true, true), (true, false), (false, true)])
    func aRescueEntryOfAnOlderKernel(_ isOlder: Bool, _ canBeAdded: Bool) throws {
        let old = isOlder ? "6.1.0-1-amd64" : DriverGuest.release
        let image = "/boot/initrd.img-\(DriverGuest.release)"
        let menu =
            "set default=0\n" + DriverGuest.entry("Linux", initrd: image)
            + DriverGuest.entry(
                "Rescue", initrd: "/boot/initramfs-0-rescue-a.img", release: "0-rescue-a")
        let guest = try DriverGuest(
            holding: nil, modules: DriverGuest.modules.filter { $0.name != "ata_piix" }, menu: menu)
        guest.root.write("/boot/vmlinuz-0-rescue-a", "kernel")
        if isOlder { guest.write(DriverGuest.modules, release: old) }
        guest.root.write(
            image,
            canBeAdded
                ? try guest.image(base)
                : try guest.archive(
                    base.reduce("mkdir -p lib/modules/\(DriverGuest.release); : >init\n") {
                        $0 + ": >lib/modules/\(DriverGuest.release)/\($1).ko\n"
                    }))
        guest.root.write(
            "/boot/initramfs-0-rescue-a.img",
            try guest.image(
                base + virtio, release: old))
        let plan = try guest.plan("kvm")
        #expect(plan.way == (isOlder && canBeAdded ? .overlay : .fallback))
        #expect(plan.refusal == nil && plan.outcome == .bootsWithEdits)
        try guest.guest.apply(plan)
        let again = try guest.plan("kvm")
        #expect(again.actions.isEmpty && again.outcome == .boots)
    }

    /// Copies that hold while the guest boots.
    @Test func configurationInTheImage() throws {
        let guest = try DriverGuest(holding: virtio)
        guest.root.write(
            "/boot/initrd.img-\(DriverGuest.release)",
            try guest.image(
                virtio,
                files: ["conf/conf.d/resume": "RESUME=/dev/sda1", "etc/crypttab": "x /dev/sda1 none luks"]))
        let told = try guest.plan("kvm").advice.filter { $0.message.plain.contains("in the initramfs names") }
        #expect(told.count == 2)
        #expect(told.allSatisfy { $0.message.plain.contains("/dev/sda1, which is /dev/vda1 on KVM") })
        #expect(told.allSatisfy { $0.path == "/boot/initrd.img-\(DriverGuest.release)" })
        // The command line has the last word.
        guest.root.write(
            "/boot/grub/grub.cfg",
            DriverGuest.entry(
                "Debian", initrd: "/boot/initrd.img-\(DriverGuest.release)",
                arguments: "ro resume=UUID=\(DriverGuest.rootUUID)"))
        #expect(
            try guest.plan("kvm").advice.count { $0.message.plain.contains("in the initramfs names") } == 1)
    }

    @Test func networkCards() throws {
        let guest = try DriverGuest(holding: base + ["hv_vmbus", "hv_storvsc"])
        let kvm = try DriverGuest(holding: virtio).plan("kvm")
        #expect(!kvm.advice.contains { $0.message.plain.contains("network card") })
        let azure = try guest.plan("azure")
        #expect(
            azure.advice.contains { $0.message.plain.contains("has no driver for any network card of azure") }
        )
        let e1000 = DriverGuest.Module(name: "e1000", aliases: ["pci:v00008086d0000100Fsv*sd*bc*sc*i*"])
        guest.write(DriverGuest.modules + [e1000])
        #expect(
            try guest.plan("vmware").advice.contains {
                $0.message.plain.contains(
                    "no driver for the network card vmxnet3: give the new machine e1000")
            })
    }
}
