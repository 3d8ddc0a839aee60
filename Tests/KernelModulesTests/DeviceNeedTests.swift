import KernelModules
import Storage
import TestSupport
import Testing

/// What an initramfs lacks for a device.
@Suite struct DeviceNeedTests {
    private static func device(_ name: String, _ target: String) throws -> TargetDevice {
        try #require(TargetDevice.controller(name, on: target))
    }

    private static func missing(_ answer: DriverAnswer) -> [String]? {
        if case .missing(let modules) = answer { modules.map(\.name) } else { nil }
    }

    @Test func whatIsMissingComesInTheOrderOfLoading() throws {
        let tree = try MadeTree.usual().indexed().tree()
        let device = try Self.device("virtio-scsi", "kvm")
        let need = try tree.need(device, holding: HeldModules())
        let names = try #require(Self.missing(need.answer))
        #expect(Set(names) == ["virtio", "virtio_ring", "virtio_pci", "scsi_mod", "virtio_scsi", "sd_mod"])
        for (first, second) in [
            ("virtio", "virtio_ring"), ("virtio_ring", "virtio_pci"), ("virtio_pci", "virtio_scsi"),
            ("scsi_mod", "virtio_scsi"), ("virtio_scsi", "sd_mod"),
        ] {
            #expect(try #require(names.firstIndex(of: first)) < #require(names.firstIndex(of: second)))
        }
        #expect(need.drivers.map(\.name) == ["virtio_pci", "virtio_scsi", "sd_mod"])
        #expect(need.drivers.allSatisfy { $0.origin == .missing })
        // Held in part, under other names and compressed.
        let held = HeldModules([
            "usr/lib/modules/x/virtio.ko.xz", "virtio_ring", "virtio-pci.ko", "scsi_mod.ko",
        ])
        let rest = try tree.need(device, holding: held)
        #expect(Self.missing(rest.answer) == ["virtio_scsi", "sd_mod"])
        #expect(rest.drivers.map(\.origin) == [.held, .missing, .missing])
        #expect(try tree.need(device, holding: HeldModules(names)).answer == .present)
    }

    /// A driver without what it depends on is no driver.
    @Test func aHeldDriverNeedsWhatItDependsOn() throws {
        let tree = try MadeTree.usual().indexed().tree()
        let held = HeldModules(["virtio_pci", "virtio_blk", "virtio"])
        let need = try tree.need(Self.device("virtio-blk", "kvm"), holding: held)
        #expect(Self.missing(need.answer) == ["virtio_ring"])
    }

    @Test func whatIsAskedForComesWithADriverThatIsAdded() throws {
        let tree = try MadeTree.usual().indexed().tree()
        let need = try tree.need(.fileSystem("ext4"), holding: HeldModules())
        #expect(Self.missing(need.answer) == ["jbd2", "crc32c_generic", "ext4"])
        // The image that holds the driver was made without it, and starts.
        #expect(
            try tree.need(.fileSystem("ext4"), holding: HeldModules(["ext4", "jbd2"])).answer == .present)
        #expect(
            try tree.need(.fileSystem("ext3"), holding: HeldModules(["ext4", "jbd2"])).answer == .present)
    }

    @Test func builtinDriversAreSaid() throws {
        var made = MadeTree.usual()
        let tree = try made.tree()
        // ata_piix is built in, sd_mod is a module.
        let need = try tree.need(Self.device("ide", "kvm"), holding: HeldModules(["sd_mod", "scsi_mod"]))
        #expect(need.answer == .present)
        #expect(need.drivers.map(\.origin) == [.builtin, .held])
        made.add("modules.builtin", text: "kernel/drivers/ata/ata_piix.ko\nkernel/drivers/scsi/sd_mod.ko\n")
        #expect(try made.tree().need(Self.device("ide", "kvm"), holding: HeldModules()).answer == .builtin)
    }

    /// A driver built in that says what it drives, and does not say this.
    @Test func builtinDriversOfOtherDevicesDoNotCount() throws {
        var made = MadeTree.usual()
        made.add("modules.builtin.modinfo", text: "ata_piix.alias=pci:v00008086d00002651sv*sd*bc*sc*i*\0")
        let ide = try Self.device("ide", "kvm")
        guard case .noSuchDriver = try made.tree().need(ide, holding: HeldModules()).answer else {
            Issue.record("it counts")
            return
        }
        made.add("modules.builtin.modinfo", text: "ata_piix.alias=pci:v00008086d00007010sv*sd*bc*sc*i*\0")
        #expect(
            Self.missing(try made.tree().need(ide, holding: HeldModules()).answer) == ["scsi_mod", "sd_mod"])
    }

    @Test func aKernelWithoutADriverSaysForWhat() throws {
        let tree = try MadeTree.usual().tree()
        for name in ["ahci", "nvme", "pvscsi", "lsi1030", "lsisas"] {
            let need = try tree.need(Self.device(name, "vmware"), holding: HeldModules())
            guard case .noSuchDriver = need.answer else {
                Issue.record("\(name): \(need.answer)")
                continue
            }
        }
    }

    /// A module of the right name whose aliases say that it drives other devices.
    @Test func aliasesOfABusDecideOverNames() throws {
        var made = MadeTree.usual()
        made.add("modules.builtin", text: "")
        made.add(
            "kernel/ata_piix.ko",
            .plain("ata_piix", release: MadeTree.release, aliases: ["pci:v00008086d00002651sv*sd*bc*sc*i*"]))
        let ide = try Self.device("ide", "kvm")
        guard case .noSuchDriver = try made.tree().need(ide, holding: HeldModules()).answer else {
            Issue.record("it counts")
            return
        }
        // One that says nothing of the bus counts by its name.
        made.add("kernel/ata_piix.ko", .plain("ata_piix", release: MadeTree.release))
        #expect(
            Self.missing(try made.tree().need(ide, holding: HeldModules()).answer)
                == ["ata_piix", "scsi_mod", "sd_mod"])
    }

    /// Kernels before libata, and before lists of what is built in.
    @Test func oldKernelsAreReadByTheirConfiguration() throws {
        let release = MadeTree.release
        var made = MadeTree()
        made.add("kernel/ide/ide-disk.ko", .plain("ide_disk", release: release))
        made.add(
            "modules.dep", text: "/lib/modules/\(release)/kernel/ide/ide-disk.ko:\n")
        let ide = try Self.device("ide", "hyperv")
        // Nothing tells whether piix is built in.
        guard case .unreadable(let error) = try made.tree().need(ide, holding: HeldModules()).answer else {
            Issue.record("it is known")
            return
        }
        #expect(error.isCode(KernelModulesCode.builtinUnknown))
        made.files["/boot/config-\(release)"] = Array(
            "CONFIG_BLK_DEV_PIIX=y\nCONFIG_BLK_DEV_IDEDISK=m\n".utf8)
        let need = try made.tree().need(ide, holding: HeldModules())
        #expect(Self.missing(need.answer) == ["ide_disk"])
        #expect(need.drivers.map(\.name) == ["piix", "ide_disk"])
        made.files["/boot/config-\(release)"] = Array(
            "CONFIG_BLK_DEV_PIIX=y\nCONFIG_BLK_DEV_IDEDISK=y\n".utf8)
        made.files["\(made.directory)/kernel/ide/ide-disk.ko"] = nil
        #expect(try made.tree().need(ide, holding: HeldModules()).answer == .builtin)
    }

    /// The Fusion driver of 2.6.9: the base claims the function, one driver serves every bus.
    @Test func oldFusionNeedsItsHost() throws {
        let release = MadeTree.release
        let alias = "pci:v00001000d00000030sv*sd*bc*sc*i*"
        var made = MadeTree.usual()
        made.add("kernel/fusion/mptbase.ko", .plain("mptbase", release: release, aliases: [alias]))
        made.add(
            "kernel/fusion/mptscsih.ko",
            .plain("mptscsih", release: release, depends: ["mptbase", "scsi_mod"]))
        let device = try Self.device("lsi1030", "vmware")
        #expect(
            Self.missing(try made.tree().need(device, holding: HeldModules()).answer)
                == ["mptbase", "scsi_mod", "mptscsih", "sd_mod"])
        // Today's: the base claims nothing, and without mptspi nothing drives it.
        made.add("kernel/fusion/mptbase.ko", .plain("mptbase", release: release))
        guard case .noSuchDriver = try made.tree().need(device, holding: HeldModules()).answer else {
            Issue.record("it counts")
            return
        }
    }

    @Test func anotherMachineOrKernelIsOfNoUse() throws {
        func code(_ change: (inout MadeObject) -> Void, machine: UInt16? = nil) throws -> ErrorCode? {
            var made = MadeTree.usual()
            var object = MadeObject.plain(
                "virtio_blk", release: MadeTree.release, depends: ["virtio_ring", "virtio"],
                aliases: ["virtio:d00000002v*"])
            change(&object)
            made.add("kernel/drivers/block/virtio_blk.ko", object)
            let need = try made.tree().need(
                Self.device("virtio-blk", "kvm"), holding: HeldModules(), machine: machine)
            guard case .unusable(let modules, let error) = need.answer else { return nil }
            #expect(modules.contains { $0.name == "virtio_blk" })
            return error.id
        }
        #expect(try code({ _ in }) == nil)
        #expect(try code({ _ in }, machine: 62) == nil)
        #expect(try code({ _ in }, machine: 183) == ErrorCode(KernelModulesCode.otherMachine))
        #expect(try code({ $0.machine = 3 }) == ErrorCode(KernelModulesCode.otherMachine))
        let other = "vermagic=6.0.0 SMP "
        #expect(
            try code({ $0.info = $0.info.map { $0.hasPrefix("vermagic") ? other : $0 } })
                == ErrorCode(KernelModulesCode.otherKernel))
        // With versions of symbols the release is not compared.
        #expect(
            try code({
                $0.info = $0.info.map { $0.hasPrefix("vermagic") ? other : $0 }
                $0.sections = ["__versions"]
            }) == nil)
    }

    @Test func damagedModulesAreOfNoUse() throws {
        var made = try MadeTree.usual().indexed()
        made.files["\(made.directory)/kernel/drivers/block/virtio_blk.ko"] = [1, 2, 3]
        let need = try made.tree().need(Self.device("virtio-blk", "kvm"), holding: HeldModules())
        guard case .unusable(_, let error) = need.answer else {
            Issue.record("\(need.answer)")
            return
        }
        #expect(error.isCode(KernelModulesCode.badObject))
        // One that the initramfs holds is not asked for.
        let held = HeldModules(["virtio_pci", "virtio_ring", "virtio", "virtio_blk"])
        #expect(try made.tree().need(Self.device("virtio-blk", "kvm"), holding: held).answer == .present)
    }

    @Test func aGuestWithoutModulesSaysSo() throws {
        let tree = try ModuleTree(release: "6.1.0", in: MemoryStore([:]))
        let device = try Self.device("virtio-blk", "kvm")
        guard case .unreadable(let error) = try tree.need(device, holding: HeldModules()).answer else {
            Issue.record("it is known")
            return
        }
        #expect(error.isCode(KernelModulesCode.noTree))
        // What the initramfs holds is there, whatever became of the rest.
        #expect(try tree.need(device, holding: HeldModules(["virtio_pci", "virtio_blk"])).answer == .present)
    }

    /// The table: every target's controllers are there, each with ways to drive it, and words are unique.
    @Test func theTableHoldsTogether() {
        for device in TargetDevice.all {
            #expect(!device.targets.isEmpty && !device.routes.isEmpty, "\(device.name)")
            for step in device.routes.flatMap(\.self) {
                #expect(!step.drivers.isEmpty, "\(device.name)")
                #expect(step.drivers.allSatisfy { $0.configuration.hasPrefix("CONFIG_") })
            }
        }
        let controllers = TargetDevice.storage.flatMap { device in
            device.targets.map { "\(device.name) \($0)" }
        }
        #expect(Set(controllers).count == controllers.count)
        for target in [
            "hyperv", "hyperv-gen2", "vmware", "xenserver", "kvm", "virtualbox", "azure", "aws", "gcp",
        ] {
            #expect(!TargetDevice.networkCards(of: target).isEmpty, "\(target)")
            #expect(TargetDevice.storage.contains { $0.targets.contains(target) }, "\(target)")
        }
        #expect(TargetDevice.controller("storvsc", on: "kvm") == nil)
        #expect(TargetDevice.all.count > 40)
    }

    /// Ciphers and targets by name.
    @Test func rootLayersNameTheirModules() {
        func titles(_ device: TargetDevice) -> [[String]] {
            device.routes.flatMap(\.self).map { $0.drivers.map(\.name) }
        }
        #expect(titles(.deviceMapper()) == [["dm_mod"]])
        #expect(titles(.deviceMapper("thin-pool")) == [["dm_mod"], ["dm_thin_pool"]])
        #expect(titles(.array(level: 5)) == [["md_mod", "md"], ["raid456", "raid5"]])
        #expect(titles(.array(level: 1)) == [["md_mod", "md"], ["raid1"]])
        #expect(
            titles(.luks(cipher: "aes-cbc-essiv:sha256")).map(\.[0])
                == ["dm_mod", "dm_crypt", "aes", "cbc", "essiv", "sha256"])
    }
}
