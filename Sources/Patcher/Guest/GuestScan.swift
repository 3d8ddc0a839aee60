internal import Storage

/// Finds and reads a guest's configuration files.
enum GuestScan {
    /// The files, and the names of those that are larger than any real one and so are left alone.
    static func files(
        of tree: some GuestTree
    ) throws(StorageError) -> (files: [ScannedFile], oversized: [String]) {
        var files: [ScannedFile] = []
        var oversized: [String] = []
        var seen: Set<FileKey> = []
        for (path, kind) in try candidates(tree) {
            guard let file = try tree.regularFile(path), seen.insert(file.key).inserted else { continue }
            guard file.attributes.size <= UInt64(configurationLimit) else {
                oversized.append(file.displayPath)
                continue
            }
            let bytes = try tree.contents(of: file, limit: configurationLimit)
            guard bytes.count(where: { $0 == .newline }) <= lineLimit else {
                oversized.append(file.displayPath)
                continue
            }
            let one = scanned(path, kind, file, bytes)
            if one.sites.count <= siteLimit { files.append(one) } else { oversized.append(file.displayPath) }
        }
        return (files, oversized)
    }

    /// No file that a boot reads has more lines or device names; work on them may take their square in time.
    private static let lineLimit = 50_000
    private static let siteLimit = 2000

    /// Files that have one place.
    private static let fixed: [(String, ConfigurationKind)] = [
        ("/etc/fstab", .fstab),
        ("/boot/grub/menu.lst", .grubLegacy), ("/boot/grub/grub.conf", .grubLegacy),
        ("/etc/grub.conf", .grubLegacy), ("/boot/boot/grub/menu.lst", .grubLegacy),
        ("/boot/grub/grub.cfg", .grub2), ("/boot/grub2/grub.cfg", .grub2),
        ("/etc/grub2.cfg", .grub2), ("/etc/grub2-efi.cfg", .grub2),
        ("/boot/grub/custom.cfg", .grubCustom), ("/boot/grub2/custom.cfg", .grubCustom),
        ("/boot/grub2/user.cfg", .grubCustom), ("/boot/grub/default", .grubLegacySaved),
        ("/boot/grub2/grubenv", .grubEnvironment), ("/boot/grub/grubenv", .grubEnvironment),
        ("/boot/loader/loader.conf", .systemdBoot), ("/efi/loader/loader.conf", .systemdBoot),
        ("/boot/efi/loader/loader.conf", .systemdBoot),
        ("/boot/extlinux.conf", .syslinux), ("/boot/syslinux.cfg", .syslinux),
        ("/extlinux.conf", .syslinux), ("/syslinux.cfg", .syslinux),
        ("/etc/lilo.conf", .lilo), ("/etc/dracut.conf", .initramfsPolicy),
        ("/etc/initramfs-tools/initramfs.conf", .initramfsPolicy),
        ("/etc/kernel/cmdline", .kernelCommandLine),
        ("/etc/default/grub", .grubDefaults),
        ("/etc/default/extlinux", .settings), ("/etc/update-extlinux.conf", .settings),
        ("/etc/sysconfig/grub", .settings), ("/etc/sysconfig/bootloader", .settings),
        ("/etc/sysconfig/kernel", .sysconfigKernel),
        ("/etc/initramfs-tools/conf.d/resume", .settings), ("/etc/uswsusp.conf", .uswsusp),
        ("/boot/grub/device.map", .deviceMap), ("/boot/grub2/device.map", .deviceMap),
        ("/etc/crypttab", .crypttab),
        ("/etc/mdadm.conf", .mdadm), ("/etc/mdadm/mdadm.conf", .mdadm),
        ("/etc/lvm/lvm.conf", .lvm), ("/etc/lvm/devices/system.devices", .lvmDevices),
        ("/etc/modprobe.conf", .modprobe),
        ("/etc/inittab", .inittab), ("/etc/securetty", .securetty),
        ("/etc/mkinitfs/mkinitfs.conf", .mkinitfs),
        ("/etc/udev/rules.d/70-persistent-net.rules", .netRules),
        ("/etc/udev/rules.d/30-net_persistent_names.rules", .netRules),
        ("/etc/udev/rules.d/70-persistent-cd.rules", .cdRules),
        ("/etc/network/interfaces", .interfaces),
        ("/etc/X11/xorg.conf", .xorg), ("/etc/X11/XF86Config-4", .xorg),
        ("/var/cache/debconf/config.dat", .debconf), ("/etc/sysctl.conf", .sysctl),
    ]

    /// Directories whose files of a certain ending count.
    private static let directories:
        [(directory: String, prefix: String, suffix: String, kind: ConfigurationKind)] = [
            ("/boot/loader/entries", "", ".conf", .loaderEntry),
            ("/efi/loader/entries", "", ".conf", .loaderEntry),
            ("/boot/efi/loader/entries", "", ".conf", .loaderEntry),
            ("/boot/extlinux", "", ".conf", .syslinux), ("/boot/extlinux", "", ".cfg", .syslinux),
            ("/boot/syslinux", "", ".cfg", .syslinux), ("/boot/syslinux", "", ".conf", .syslinux),
            ("/etc/default/grub.d", "", ".cfg", .grubDefaults),
            ("/etc/grub.d", "4", "_custom", .grubCustom),
            ("/etc/dracut.conf.d", "", ".conf", .initramfsPolicy),
            ("/etc/initramfs-tools/conf.d", "driver-policy", "", .initramfsPolicy),
            ("/etc/sysconfig/network-scripts", "ifcfg-", "", .ifcfg),
            ("/etc/sysconfig/network", "ifcfg-", "", .ifcfg),
            ("/etc/network/interfaces.d", "", "", .interfaces),
            ("/etc/netplan", "", ".yaml", .netplan),
            ("/etc/NetworkManager/system-connections", "", "", .networkManager),
        ]

    /// Where the files may be; one that several names lead to is read under the first.
    private static func candidates(_ tree: some GuestTree) throws(StorageError) -> [(
        String, ConfigurationKind
    )] {
        var list = fixed
        for place in directories {
            for name in try tree.names(in: place.directory)
            where name.hasPrefix(place.prefix) && name.hasSuffix(place.suffix) {
                list.append(("\(place.directory)/\(name)", place.kind))
            }
        }
        for esp in ["/boot/efi/EFI", "/efi/EFI", "/boot/EFI"] {
            for vendor in try tree.names(in: esp) {
                list.append(("\(esp)/\(vendor)/grub.cfg", .grub2))
                list.append(("\(esp)/\(vendor)/grub.conf", .grubLegacy))
                list.append(("\(esp)/\(vendor)/grubenv", .grubEnvironment))
                list.append(("\(esp)/\(vendor)/syslinux.cfg", .syslinux))
            }
        }
        return list
    }

    private static func scanned(
        _ path: String, _ kind: ConfigurationKind, _ file: GuestFile, _ bytes: [UInt8]
    ) -> ScannedFile {
        let syntax = parsed(kind, path, bytes)
        return ScannedFile(
            path: path, file: file, kind: kind, bytes: bytes, syntax: syntax,
            sites: DeviceSites.find(kind, syntax, bytes))
    }

    private static func parsed(_ kind: ConfigurationKind, _ path: String, _ bytes: [UInt8])
        -> ConfigurationSyntax
    {
        switch kind {
        case .fstab: return .fstab(Fstab(bytes))
        case .grubLegacy: return .grubLegacy(GRUBLegacy(bytes))
        case .grub2, .grubCustom: return .grub2(GRUB2Config(bytes))
        case .grubEnvironment: return GRUBEnvironment(bytes).map(ConfigurationSyntax.grubEnvironment) ?? .text
        case .loaderEntry:
            let name = path.split(separator: "/").last ?? ""
            return .loaderEntry(LoaderEntry(bytes, identifier: String(name.dropLast(".conf".count))))
        case .syslinux: return .syslinux(Syslinux(bytes))
        case .lilo: return .lilo(Lilo(bytes))
        case .lvm: return .lvm(LVMConfiguration(bytes))
        case .grubDefaults, .settings, .sysconfigKernel, .mkinitfs, .ifcfg, .initramfsPolicy:
            return .shell(ShellVariables(bytes))
        case .deviceMap, .crypttab, .mdadm, .lvmDevices, .modprobe, .securetty, .interfaces, .systemdBoot,
            .sysctl, .grubLegacySaved:
            return .table(FieldTable(bytes))
        case .kernelCommandLine, .inittab, .uswsusp, .netRules, .cdRules, .netplan, .networkManager, .xorg,
            .debconf:
            return .text
        }
    }
}
