/// Every syntax that is known, in the order in which files are looked for and reported: files that have one place first,
/// then those of directories, then those of the EFI system partition. A file that several names lead to is read by the
/// first.
package enum ConfigurationSyntaxes {
    package static let all: [any ConfigurationSyntax.Type] = [
        Fstab.self,
        GRUBLegacy.self,
        GRUB2Config.self,
        GRUBCustomMenu.self,
        GRUBIncludedMenu.self,
        GRUBLegacyIncludedMenu.self,
        GRUBLegacySaved.self,
        GRUBEnvironmentFile.self,
        GRUBVariablesFile.self,
        GRUBCommandList.self,
        LoaderEntry.self,
        SystemdBootConfiguration.self,
        Syslinux.self,
        Refind.self,
        RefindLinuxOptions.self,
        Lilo.self,
        InitramfsPolicy.self,
        KernelCommandLineFile.self,
        GRUBDefaults.self,
        GRUBCustomScript.self,
        ExtlinuxDefaults.self,
        UpdateExtlinux.self,
        SysconfigGRUB.self,
        SysconfigBootloader.self,
        SysconfigKernel.self,
        ResumeSetting.self,
        GRUBInstallDevice.self,
        DiskToolSettings.self,
        CloudInitConfiguration.self,
        Uswsusp.self,
        DeviceMap.self,
        Crypttab.self,
        SystemdMount.self,
        SystemdUnit.self,
        NamedDevices.self,
        MDConfiguration.self,
        LVMConfiguration.self,
        LVMDevicesFile.self,
        ModprobeConfiguration.self,
        Inittab.self,
        Securetty.self,
        UpstartJob.self,
        MkinitfsConfiguration.self,
        InitramfsModules.self,
        MkinitcpioConfiguration.self,
        BoosterConfiguration.self,
        NetRules.self,
        CDRules.self,
        Ifcfg.self,
        Interfaces.self,
        Netplan.self,
        InstallerNetwork.self,
        NetworkManagerKeyFile.self,
        NetworkdFile.self,
        WickedInterfaces.self,
        CardTable.self,
        XorgConfiguration.self,
        DebconfDatabase.self,
        SysctlConfiguration.self,
    ]

    /// Those of a name; several may share one.
    static func of(_ kind: ConfigurationKind) -> [any ConfigurationSyntax.Type] {
        all.filter { $0.kind == kind }
    }

    /// The names of those that a boot code reads.
    static func kinds(readBy code: BootCode) -> [ConfigurationKind] {
        all.filter { $0.bootCode == code }.map { $0.kind }
    }
}
