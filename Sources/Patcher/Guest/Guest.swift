package import Storage

/// A Linux system found on the disks: its root, its tree, and what its files name.
package struct Guest: Sendable {
    /// Index of the root's volume.
    package var rootVolume: Int
    /// What it is; nil when no release file says.
    package var release: OSRelease?
    /// Its tree.
    package var tree: any GuestTree
    /// Where each volume is mounted, the root first.
    package var mounts: [Mount]
    /// Finds what device names stand for.
    package var resolver: DeviceResolver
    /// The configuration files that name devices or decide the boot, each once, however many names it has.
    package var files: [ScannedFile]
    /// Kernels, tools and the like.
    package var inspection: Inspection
    /// What a user should know about how it was found.
    package var notes: [String]

    /// A volume in the guest's tree.
    package struct Mount: Sendable, Equatable {
        /// The mount point.
        package var path: String
        /// Index of the volume.
        package var volume: Int
        /// Its file system can be read.
        package var isReadable: Bool
    }

    /// The guest's volumes.
    package var volumes: [Volume] { resolver.volumes }
    /// The name for people.
    package var title: String { release?.title ?? "an unnamed Linux" }
    /// All kernel entries of all loaders, with the file that holds each.
    package var bootEntries: [(file: ScannedFile, entry: BootEntry)] {
        files.flatMap { file in file.bootEntries.map { (file, $0) } }
    }
    /// Files of one kind.
    func files(_ kind: ConfigurationKind) -> [ScannedFile] { files.filter { $0.kind == kind } }
}

/// Everything found on the disks.
package struct Survey: Sendable {
    /// Linux systems, in the order of their volumes.
    package var guests: [Guest]
    /// What stands in the way: other systems, volumes that cannot be read.
    package var findings: [String]
    /// A Windows system was recognised.
    package var hasWindows: Bool
}

extension Guest {
    /// What is known of the guest, a line each: for people.
    package var description: [String] {
        var lines: [String] = []
        let system = [inspection.architecture, inspection.hasMergedUsr ? "merged /usr" : nil].compactMap {
            $0
        }
        if !system.isEmpty { lines.append("system: " + system.joined(separator: ", ")) }
        let loaders = files.filter { !$0.bootEntries.isEmpty || $0.kind == .systemdBoot }
            .map { "\($0.kind.rawValue) (\($0.file.displayPath))" }
        lines.append("boot loader: " + (loaders.isEmpty ? "none found" : loaders.joined(separator: ", ")))
        lines.append("firmware: " + (hasEFISystemPartition ? "UEFI" : "BIOS"))
        for (file, entry) in defaultEntries {
            lines.append("default entry: \(entry.title) (\(file.file.displayPath))")
        }
        if !inspection.kernels.isEmpty {
            lines.append("kernels: " + inspection.kernels.map(\.release).joined(separator: ", "))
        }
        for tool in inspection.tools { lines.append("guest tools: \(tool.name) (\(tool.path))") }
        let xenOnly = bootEntries.filter { $0.entry.looksXenOnly && !$0.entry.isXenMultiboot }.map(
            \.entry.title)
        if !xenOnly.isEmpty { lines.append("Xen-only kernels: " + xenOnly.joined(separator: ", ")) }
        let hypervisors = bootEntries.filter(\.entry.isXenMultiboot).map(\.entry.title)
        if !hypervisors.isEmpty {
            lines.append("entries that boot Xen first: " + hypervisors.joined(separator: ", "))
        }
        if !networkNames.isEmpty { lines.append("network cards: " + networkNames.joined(separator: ", ")) }
        if let selinux = inspection.selinux { lines.append("SELinux: \(selinux)") }
        if inspection.hasCloudInit { lines.append("cloud-init: installed") }
        return lines
    }
}

extension Survey {
    /// What a Windows system would meet on a target; nil when none was recognised.
    package func windowsVerdict(_ target: Target, _ controller: Controller?) -> String? {
        guard hasWindows else { return nil }
        let drivers: String =
            switch controller ?? target.defaultController {
            case .ide: "intelide and atapi"
            case .ahci: "storahci (msahci before Windows 8)"
            case .lsi1030: "LSI_SCSI (symmpi before Vista)"
            case .lsisas: "LSI_SAS"
            case .sym53c8xx: "sym_hi, which newer Windows lacks"
            case .pvscsi: "pvscsi of VMware Tools"
            case .virtioBlk: "viostor of virtio-win"
            case .virtioSCSI: "vioscsi of virtio-win"
            case .nvme: "stornvme"
            case .megasas: "megasas"
            case .storvsc: "vmbus and storvsc"
            case .xenBlkfront: "xenvbd of the XenServer tools"
            }
        return
            "Windows would stop with 0x7B (INACCESSIBLE_BOOT_DEVICE) on \(target.hypervisor.title) unless \(drivers) "
            + "start at boot; nothing of Windows is changed"
    }
}
