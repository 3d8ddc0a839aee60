import KernelModules
import Storage
import TestSupport
import Testing

/// The text of indexes, of new and old kernels.
@Suite struct TextIndexTests {
    @Test func pathsOfOldKernelsBecomeRelative() throws {
        let release = "2.6.9-89.EL"
        let text = """
            /lib/modules/2.6.9-89.EL/kernel/drivers/scsi/sd_mod.ko: /lib/modules/2.6.9-89.EL/kernel/drivers/scsi/scsi_mod.ko
            /lib/modules/2.6.9-89.EL/kernel/drivers/scsi/scsi_mod.ko:
            /opt/x/extra.ko: /lib/modules/2.6.9-89.EL/kernel/drivers/scsi/scsi_mod.ko
            kernel/not-a-module.txt: kernel/a.ko
            kernel/no-colon.ko kernel/a.ko
            """
        let index = DependencyIndex(text: Array(text.utf8), release: release)
        #expect(index.lines.count == 3)
        let line = try #require(index.line("sd_mod"))
        #expect(line.module.path == "kernel/drivers/scsi/sd_mod.ko")
        #expect(line.dependencies == ["kernel/drivers/scsi/scsi_mod.ko"])
        #expect(index.line("extra")?.module.path == "/opt/x/extra.ko")
    }

    @Test func namesOfFilesAreNamesOfModules() {
        #expect(ModuleName.ofFile("kernel/drivers/net/xen-netfront.ko.xz") == "xen_netfront")
        #expect(ModuleName.ofFile("a.ko") == "a")
        #expect(ModuleName.ofFile("a.b.ko.gz") == "a.b")
        #expect(ModuleName.ofFile("a.ko.zst") == "a")
        for other in ["a.ko.bz2", "a.o", ".ko", "x/.ko.xz", "ko", "", "a.ko/", "a.ko.debug"] {
            #expect(ModuleName.ofFile(other) == nil, "\(other)")
        }
        #expect(ModuleName.compression(ofFile: "a.ko.zst") == .zst)
        #expect(ModuleName.compression(ofFile: "a.ko") == nil)
    }

    @Test func tablesOfPCIIdentifiersBecomeAliases() {
        let text = """
            # pci module         vendor     device     subvendor  subdevice  class      class_mask driver_data
            ahci                 0x00008086 0x00002652 0xffffffff 0xffffffff 0x00000000 0x00000000 0x0
            ahci                 0xffffffff 0xffffffff 0xffffffff 0xffffffff 0x00010601 0x00ffffff 0x0
            short                0x00008086
            """
        let index = AliasIndex(pciMap: Array(text.utf8))
        #expect(
            index.lines.map(\.alias) == [
                "pci:v00008086d00002652sv*sd*bc*sc*i*", "pci:v*d*sv*sd*bc01sc06i01",
            ])
        #expect(index.modules(matching: "pci:v000015ADd000007E0sv000015ADsd000007E0bc01sc06i01") == ["ahci"])
    }

    @Test func softDependenciesAreTheFirstLineOfAModule() {
        let text = """
            # Soft dependencies extracted from modules themselves.
            softdep a-b pre: c d post: e
            softdep a_b pre: f
            softdep g h pre:
            alias x y
            """
        let soft = SoftDependencies(text: Array(text.utf8))
        #expect(soft.of("a_b")?.before == ["c", "d"])
        #expect(soft.of("a_b")?.after == ["e"])
        #expect(soft.of("g")?.before == [])
        #expect(soft.of("x") == nil)
        #expect(soft.lines.count == 3)
    }

    @Test func configurationsTellWhatIsBuiltIn() {
        let text = "CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\nCONFIG_D=\"y\"\nCONFIG_E=64\n#CONFIG_F=y\n"
        let configuration = KernelConfiguration(text: Array(text.utf8))
        #expect(configuration["CONFIG_A"] == .builtin)
        #expect(configuration["CONFIG_B"] == .module)
        for name in ["C", "D", "E", "F"] { #expect(configuration["CONFIG_\(name)"] == .absent) }
        #expect(KernelConfiguration(text: [0, 0, 0]).isEmpty)
    }

    @Test func builtinModulesHaveNamesAndAliases() throws {
        var builtin = BuiltinModules(
            text: Array("kernel/fs/ext4/ext4.ko\nkernel/drivers/md/dm-mod.ko\n".utf8))
        #expect(builtin.contains("dm_mod"))
        #expect(builtin.aliases == nil)
        builtin.addInformation(
            Array("ext4.alias=fs-ext4\0ext4.license=GPL\0dm_mod.alias=devname:mapper/control\0x\0y=z\0".utf8))
        #expect(builtin.aliases?.modules(matching: "fs-ext4") == ["ext4"])
        #expect(builtin.aliases?.count == 2)
    }

    /// Text that is no index, and damaged indexes, mean little and cost little.
    @Test func damagedTextIsNoTrap() {
        var random = SeededRandom(23)
        let whole = Array(
            "alias pci:v[0-9]* a\nkernel/a.ko: kernel/b.ko\nsoftdep a pre: b post: c\nCONFIG_A=y\n0x1 0x2\nfuse fuse c1:2\n"
                .utf8)
        for _ in 0..<2000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...9, using: &random) {
                let byte = Array(" \n\0:=[]*\\-#\u{ff}".utf8).randomElement(using: &random) ?? 0
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = byte
            }
            let aliases = AliasIndex(text: bytes)
            _ = aliases.modules(matching: "pci:v1")
            _ = DependencyIndex(text: bytes, release: "1").lines
            _ = SoftDependencies(text: bytes).of("a")
            _ = KernelConfiguration(text: bytes)["CONFIG_A"]
            _ = AliasIndex(pciMap: bytes).lines
            _ = DeviceNodes(text: bytes).lines
            _ = BuiltinModules(text: bytes).sortedNames
        }
    }
}
