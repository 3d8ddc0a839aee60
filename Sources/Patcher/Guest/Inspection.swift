package import GuestTree
package import Storage

/// What else is known of a guest, besides its device names.
package struct Inspection: Sendable, Equatable {
    /// A kernel that is installed.
    package struct Kernel: Sendable, Equatable {
        /// Its release: "2.6.18-164.el5".
        package var release: String
        /// It has modules under /lib/modules.
        package var hasModules: Bool
        /// It has an image in /boot.
        package var hasImage: Bool
        /// Options of its /boot/config that matter here, with their values ("y", "m").
        package var options: [String: String]

    }

    /// Guest software of a hypervisor.
    package struct Tool: Sendable, Equatable {
        /// Its name.
        package var name: String
        /// The hypervisor it serves.
        package var hypervisor: Hypervisor
        /// The path that showed it.
        package var path: String
    }

    /// The kernels, by release.
    package var kernels: [Kernel] = []
    /// Kernels in /boot whose names do not tell their release, by name: the rescue kernels of Red Hat's installers.
    package var unnamedReleases: [String: String] = [:]
    /// Guest tools.
    package var tools: [Tool] = []
    /// Consoles that systemd starts terminals on: "hvc0".
    package var serialGettys: [String] = []
    /// What starts them at boot.
    package var toolLinks: [ToolLink] = []
    /// x86_64, i386, aarch64…; nil when no program could be read.
    package var architecture: String?
    /// /bin and /lib are links into /usr.
    package var hasMergedUsr = false
    /// "enforcing", "permissive", "disabled"; nil without SELinux.
    package var selinux: String?
    /// cloud-init is installed.
    package var hasCloudInit = false
    /// Its EFI system partition; nil when there is none that could be read.
    package internal(set) var efi: EFISystemPartition?
    /// Directories of its tree that hold one of loaders, with their volumes: "/boot/efi".
    var loaderDirectories: [String: Int] = [:]
    /// The machine of a kernel, where no program of the system tells one.
    var kernelMachine: PEImage.Machine?
    /// The kernels of its menus that were looked for, by the mount point of a menu on the EFI system partition and
    /// the path in the menu: where each lies, nil where it is not there.
    package internal(set) var kernelFiles: [String: String?] = [:]
    /// Directories with a menu and the program that reads it, of loaders that lie beside their menus.
    var programDirectories: Set<String> = []
    /// Something lies in /boot.
    package var hasBootFiles = false
    /// What names network cards.
    package var network = NetworkInspection()

    /// The kernel of a release.
    package func kernel(_ release: String?) -> Kernel? {
        release.flatMap { name in kernels.first { $0.release == name } }
    }

    /// Looks for loaders beside their menus.
    mutating func findPrograms(of files: [ScannedFile], in tree: some GuestTree) throws(StorageError) {
        for file in files {
            guard let programs = file.menuType?.programsBesideIt, !programs.isEmpty else { continue }
            let directory = file.file.displayPath.directoryPart
            let names = try tree.names(in: GuestPath(directory)).map { $0.lowercased() }
            if names.contains(where: { name in programs.contains { name.hasPrefix($0) } }) {
                programDirectories.insert(directory)
            }
        }
    }

    /// Looks around in a tree.
    package init(_ tree: some GuestTree) throws(StorageError) {
        try readKernels(tree)
        for (path, name, hypervisor) in Self.toolPaths where try tree.exists(GuestPath(path)) {
            if !tools.contains(where: { $0.name == name }) {
                tools.append(Tool(name: name, hypervisor: hypervisor, path: path))
            }
        }
        toolLinks = try ToolLink.find(in: tree)
        for name in try tree.names(in: "/etc/systemd/system/getty.target.wants") {
            guard name.hasPrefix("serial-getty@"), name.hasSuffix(".service") else { continue }
            serialGettys.append(String(name.dropFirst("serial-getty@".count).dropLast(".service".count)))
        }
        architecture = try Self.architecture(tree)
        if let bin = try tree.find("/bin", followLast: false) {
            hasMergedUsr = bin.attributes.type == .symbolicLink
        }
        if let bytes = try tree.configuration("/etc/selinux/config") {
            selinux = ShellVariables(bytes).last("SELINUX")?.text
        }
        for path in ["/etc/cloud/cloud.cfg", "/etc/cloud/cloud.cfg.d"] as [GuestPath]
        where try tree.exists(path) {
            hasCloudInit = true
        }
        for path in ["/boot/efi", "/efi", "/boot"] {
            loaderDirectories[path] = try tree.find(GuestPath(path + "/EFI"))?.key.volume
        }
        if architecture == nil { kernelMachine = try KernelImage.machine(in: tree) }
        network = try NetworkInspection(tree)
    }

    /// No guest has more kernels, and no /boot more files.
    private static let kernelLimit = 500
    private static let bootNameLimit = 4096

    private mutating func readKernels(_ tree: some GuestTree) throws(StorageError) {
        var found: [String: Kernel] = [:]
        func kernel(_ release: String) -> Kernel {
            found[release] ?? Kernel(release: release, hasModules: false, hasImage: false, options: [:])
        }
        for directory in ["/lib/modules", "/usr/lib/modules"] as [GuestPath] {
            for release in try tree.names(in: directory).prefix(Self.kernelLimit) {
                var entry = kernel(release)
                entry.hasModules = true
                found[release] = entry
            }
        }
        let names = try tree.names(in: "/boot").prefix(Self.bootNameLimit)
        for name in names {
            if name.hasPrefix("vmlinuz-0-rescue-") {
                unnamedReleases[name] = try KernelImage.release(of: "/boot/\(name)", in: tree)
            }
            for prefix in ["vmlinuz-", "vmlinux-", "config-"] where name.hasPrefix(prefix) {
                let release = String(name.dropFirst(prefix.count))
                var entry = kernel(release)
                if prefix == "config-" {
                    entry.options = Self.options(try tree.configuration(GuestPath("/boot/\(name)")) ?? [])
                } else {
                    entry.hasImage = true
                    hasBootFiles = true
                }
                found[release] = entry
            }
            if name.hasPrefix("vmlinuz") || name.hasPrefix("initr") || name.hasPrefix("bzImage") {
                hasBootFiles = true
            }
        }
        kernels = found.values.sorted { $0.release < $1.release }
    }

    private static let interestingOptions = [
        "CONFIG_X86_XEN", "CONFIG_X86_64_XEN", "CONFIG_XEN", "CONFIG_XEN_PV_ON_HVM", "CONFIG_IDE",
        "CONFIG_BLK_DEV_PIIX",
        "CONFIG_BLK_DEV_IDEDISK", "CONFIG_ATA_PIIX", "CONFIG_BLK_DEV_SD", "CONFIG_VIRTIO_BLK",
        "CONFIG_VIRTIO_PCI",
        "CONFIG_XEN_BLKDEV_FRONTEND", "CONFIG_HYPERV_STORAGE", "CONFIG_HYPERV", "CONFIG_BLK_DEV_NVME",
        "CONFIG_NVME_CORE", "CONFIG_SATA_AHCI", "CONFIG_VMWARE_PVSCSI", "CONFIG_FUSION_SPI",
        "CONFIG_FUSION_SAS",
        "CONFIG_SCSI_VIRTIO", "CONFIG_MEGARAID_SAS", "CONFIG_SCSI_SYM53C8XX_2",
    ]

    private static func options(_ bytes: [UInt8]) -> [String: String] {
        let variables = ShellVariables(bytes)
        var options: [String: String] = [:]
        for assignment in variables.assignments where interestingOptions.contains(assignment.name) {
            options[assignment.name] = assignment.text
        }
        return options
    }

    private static let toolPaths: [(String, String, Hypervisor)] = [
        ("/etc/vmware-tools/locations", "VMware Tools", .vmware),
        ("/etc/init.d/vmware-tools", "VMware Tools", .vmware),
        ("/usr/sbin/vmware-guestd", "VMware Tools", .vmware), ("/usr/bin/vmtoolsd", "open-vm-tools", .vmware),
        ("/var/lib/VBoxGuestAdditions/config", "VirtualBox Guest Additions", .virtualbox),
        ("/usr/sbin/VBoxService", "VirtualBox Guest Additions", .virtualbox),
        ("/usr/sbin/xe-linux-distribution", "XenServer guest utilities", .xenserver),
        ("/etc/init.d/xe-linux-distribution", "XenServer guest utilities", .xenserver),
        ("/usr/sbin/xe-daemon", "XenServer guest utilities", .xenserver),
        ("/usr/sbin/hv_kvp_daemon", "Hyper-V daemons", .hyperv),
        ("/usr/sbin/hypervkvpd", "Hyper-V daemons", .hyperv),
        ("/opt/linux_ic", "Linux Integration Components", .hyperv),
        ("/usr/bin/qemu-ga", "QEMU guest agent", .kvm), ("/usr/sbin/qemu-ga", "QEMU guest agent", .kvm),
        ("/usr/lib/parallels-tools", "Parallels Tools", .parallels),
        ("/usr/bin/prltoolsd", "Parallels Tools", .parallels),
        ("/usr/sbin/waagent", "Azure agent", .azure),
        ("/usr/bin/google_guest_agent", "Google guest agent", .gcp),
    ]

    /// From the ELF header of a program that every system has.
    private static func architecture(_ tree: some GuestTree) throws(StorageError) -> String? {
        for path in ["/sbin/init", "/bin/sh", "/bin/ls", "/bin/busybox"] as [GuestPath] {
            guard let file = try tree.regularFile(path), file.attributes.size >= 20,
                file.attributes.size <= UInt64(configurationLimit)
            else { continue }
            let head = try tree.contents(of: file, limit: configurationLimit).prefix(20)
            guard head.count == 20, Array(head.prefix(4)) == [0x7f, 0x45, 0x4c, 0x46] else { continue }
            switch UInt16(head[18]) | UInt16(head[19]) << 8 {
            case 3: return "i386"
            case 62: return "x86_64"
            case 183: return "aarch64"
            default: return nil
            }
        }
        return nil
    }
}
