/// What kind of text a configuration file is.
package enum ConfigurationKind: String, Sendable {
    /// /etc/fstab.
    case fstab
    /// GRUB legacy's menu.
    case grubLegacy = "grub-legacy"
    /// GRUB 2's grub.cfg.
    case grub2 = "grub2"
    /// Entries that people add to GRUB 2's menu: custom.cfg, /etc/grub.d/40_custom.
    case grubCustom = "grub-custom"
    /// The default that GRUB legacy has saved.
    case grubLegacySaved = "grub-legacy-saved"
    /// What an initramfs generator is told to put in.
    case initramfsPolicy = "initramfs-policy"
    /// GRUB 2's environment block.
    case grubEnvironment = "grubenv"
    /// A Boot Loader Specification entry that GRUB or systemd-boot reads.
    case loaderEntry = "loader-entry"
    /// systemd-boot's loader.conf.
    case systemdBoot = "systemd-boot"
    /// syslinux.cfg, extlinux.conf.
    case syslinux
    /// lilo.conf.
    case lilo
    /// A file that is one kernel command line: /etc/kernel/cmdline.
    case kernelCommandLine = "kernel-cmdline"
    /// /etc/default/grub and its parts.
    case grubDefaults = "grub-defaults"
    /// Another file of shell assignments whose values are kernel arguments or devices.
    case settings
    /// GRUB's device.map.
    case deviceMap = "device-map"
    /// /etc/crypttab.
    case crypttab
    /// mdadm.conf.
    case mdadm
    /// lvm.conf.
    case lvm
    /// LVM's devices file.
    case lvmDevices = "lvm-devices"
    /// modprobe.conf.
    case modprobe
    /// /etc/inittab.
    case inittab
    /// /etc/securetty.
    case securetty
    /// Red Hat's or SUSE's /etc/sysconfig/kernel.
    case sysconfigKernel = "sysconfig-kernel"
    /// mkinitfs.conf.
    case mkinitfs
    /// uswsusp.conf.
    case uswsusp
    /// udev's 70-persistent-net.rules.
    case netRules = "net-rules"
    /// udev's 70-persistent-cd.rules.
    case cdRules = "cd-rules"
    /// ifcfg-*.
    case ifcfg
    /// interfaces(5).
    case interfaces
    /// netplan's YAML.
    case netplan
    /// A NetworkManager key file.
    case networkManager = "network-manager"
    /// xorg.conf.
    case xorg
    /// debconf's config.dat.
    case debconf
    /// sysctl.conf.
    case sysctl
}

/// A parsed file.
package enum ConfigurationSyntax: Sendable {
    /// fstab(5).
    case fstab(Fstab)
    /// menu.lst.
    case grubLegacy(GRUBLegacy)
    /// grub.cfg.
    case grub2(GRUB2Config)
    /// grubenv.
    case grubEnvironment(GRUBEnvironment)
    /// A loader entry.
    case loaderEntry(LoaderEntry)
    /// syslinux.cfg.
    case syslinux(Syslinux)
    /// lilo.conf.
    case lilo(Lilo)
    /// Shell assignments.
    case shell(ShellVariables)
    /// Words in lines.
    case table(FieldTable)
    /// lvm.conf.
    case lvm(LVMConfiguration)
    /// Nothing that is edited by words.
    case text

    /// The kernels it offers.
    package var bootEntries: [BootEntry] {
        switch self {
        case .grubLegacy(let menu): menu.entries
        case .grub2(let menu): menu.entries
        case .syslinux(let menu): menu.entries
        case .lilo(let menu): menu.entries
        case .loaderEntry(let one): [one.entry]
        default: []
        }
    }
}

/// A place in a file that names a device.
package struct DeviceSite: Sendable, Equatable {
    /// What the name is for.
    package enum Use: Sendable, Equatable {
        /// The device of an fstab row.
        case fstab(Fstab.Row)
        /// An argument of an entry's kernel.
        case kernelArgument(name: String, entry: BootEntry)
        /// An argument that settings hand to every kernel.
        case sharedKernelArgument(name: String)
        /// The disk that the boot loader is installed to, or one of its map.
        case loaderDisk
        /// The encrypted device of a crypttab row.
        case crypttab(name: String)
        /// A row of LVM's devices file.
        case lvmDevice
        /// A name in a file that is never changed; the text says what it is for.
        case reported(String)

        /// Whether such names tell which disks the guest has.
        var countsDisks: Bool {
            switch self {
            case .fstab(let row): !row.isRemovableMedium
            case .kernelArgument, .sharedKernelArgument, .crypttab, .lvmDevice: true
            case .reported: false
            case .loaderDisk: false
            }
        }

        /// For people: "root=", "device of /data".
        package var summary: String {
            switch self {
            case .fstab(let row): row.isSwap ? "swap device" : "device of \(row.mountPoint)"
            case .kernelArgument(let name, let entry): "\(name)= of “\(entry.title)”"
            case .sharedKernelArgument(let name): "\(name)= for every kernel"
            case .loaderDisk: "disk of the boot loader"
            case .crypttab(let name): "encrypted device \(name)"
            case .lvmDevice: "LVM device"
            case .reported(let summary): summary
            }
        }
    }

    /// The bytes of the name.
    package var range: Range<Int>
    /// The name.
    package var text: String
    /// What it is for.
    package var use: Use
    /// Its bytes are not the name itself: escapes or variables are in them.
    package var isOpaque = false
}

/// A configuration file with its bytes, its grammar and its device names.
package struct ScannedFile: Sendable {
    /// The path that it was looked for under.
    package var path: String
    /// The file behind it.
    package var file: GuestFile
    /// What kind of text it is.
    package var kind: ConfigurationKind
    /// Its bytes.
    package var bytes: [UInt8]
    /// The parsed text.
    package var syntax: ConfigurationSyntax
    /// The device names in it.
    package var sites: [DeviceSite]

    /// The kernels that the loader offers. What people add by hand may be part of another file already.
    package var bootEntries: [BootEntry] { kind == .grubCustom ? [] : syntax.bootEntries }

    /// The shell assignments, where it holds such.
    package var variables: ShellVariables? {
        if case .shell(let variables) = syntax { variables } else { nil }
    }
    /// The rows of words, where it holds such.
    package var rows: [FieldTable.Row] { if case .table(let table) = syntax { table.rows } else { [] } }
}
