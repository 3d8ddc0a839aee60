extension Repair {
    /// Settings that the next installation of a kernel or boot loader reads.
    public static let settings = Repair("settings")
}

/// modprobe.conf of the RHEL 4 and 5 era: the disk drivers that the next initrd is made from, and modules of network cards
/// that are no part of the kernel. The next boot does not depend on it, but the one after the next kernel update does.
enum ModprobeAliases: PlanStep {
    static let repair = Repair.settings
    static let reads: [any ConfigurationSyntax.Type] = [ModprobeConfiguration.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(ModprobeConfiguration.self) {
            if file.syntax.isMain { chooseHostAdapter(file.file, file.syntax.rows, &draft) }
            disableForeignCards(file.file, file.syntax.rows, &draft)
        }
    }

    /// The modules that mkinitrd of the RHEL 4 and 5 era takes from `scsi_hostadapter` aliases. Empty: built in.
    static func hostAdapters(_ draft: PlanDraft) -> [String] {
        switch draft.controller {
        case .ide, .storvsc:
            draft.drivers.modulesOfNextInitramfs.contains("hv_storvsc") ? ["hv_storvsc", "hv_vmbus"] : []
        case .ahci: ["ahci"]
        case .lsi1030: draft.guest.release?.major == 4 ? ["mptscsih", "mptbase"] : ["mptspi", "mptbase"]
        case .lsisas: ["mptsas", "mptbase"]
        case .sym53c8xx: ["sym53c8xx"]
        case .pvscsi: ["pvscsi"]
        case .virtioBlk: ["virtio_blk", "virtio_pci"]
        case .virtioSCSI: ["virtio_scsi", "virtio_pci"]
        case .megasas: ["megaraid_sas"]
        case .nvme: ["nvme"]
        case .xenBlkfront: ["xen-vbd", "xenblk"]
        }
    }

    private static func chooseHostAdapter(
        _ file: ScannedFile, _ rows: [FieldTable.Row], _ draft: inout PlanDraft
    ) {
        let wanted = hostAdapters(draft)
        var harmless: Set<String> = ["ata_piix", "ahci", "libata", "usb-storage"]
        if [.hyperv, .azure].contains(draft.hypervisor) { harmless.insert("hv_storvsc") }
        let aliases = rows.filter { hostAdapter(in: $0) != nil }
        var isListed = wanted.isEmpty || aliases.contains { wanted.contains($0.words[2]) }
        for row in aliases where !wanted.contains(row.words[2]) && !harmless.contains(row.words[2]) {
            if draft.keepsIntegrationComponents, integrationDisks.contains(row.words[2]) { continue }
            if !isListed {
                isListed = true
                draft.edit(
                    file, row.ranges[2], wanted[0], .settings,
                    "the next initrd needs the driver of \(draft.controller.rawValue), not \(row.words[2])")
            } else {
                draft.comment(
                    file, lineAt: row.line.content.lowerBound, .settings,
                    "\(row.words[2]) drives no disk on \(draft.hypervisor.title)")
            }
        }
        if !isListed, let last = aliases.last, !last.line.end.isEmpty {
            let number = aliases.count
            let end = last.line.whole.upperBound
            draft.edit(
                file, end..<end, "alias scsi_hostadapter\(number) \(wanted[0])\n", .settings,
                "the next initrd needs the driver of \(draft.controller.rawValue)")
        }
    }

    /// The module of an `alias scsi_hostadapter…` row.
    static func hostAdapter(in row: FieldTable.Row) -> String? {
        guard row.words.count >= 3, row.words[0] == "alias", row.words[1].hasPrefix("scsi_hostadapter") else {
            return nil
        }
        return row.words[2]
    }

    /// Disk drivers of Hyper-V's integration components.
    private static let integrationDisks: Set<String> = ["storvsc", "blkvsc", "hv_storvsc", "hv_blkvsc"]

    /// Cards that one hypervisor has alone: an alias to such a module hides the real card elsewhere.
    private static func owners(ofCard module: String) -> [Hypervisor]? {
        if module.hasPrefix("vmxnet") { return [.vmware] }
        switch module {
        case "xennet", "xen-vnif", "xen-netfront": return Hypervisor.allCases.filter(\.hasAliasedDiskNames)
        case "netvsc", "hv_netvsc": return [.hyperv, .azure]
        default: return nil
        }
    }

    private static func disableForeignCards(
        _ file: ScannedFile, _ rows: [FieldTable.Row], _ draft: inout PlanDraft
    ) {
        for row in rows where row.words.count >= 3 {
            let modules: [String] =
                switch row.words[0] {
                case "alias": [row.words[2]]
                // VMware's tools wrap the emulated card's module: `install pcnet32 /sbin/modprobe … vmxnet; …`.
                case "install":
                    row.words.dropFirst(2).flatMap { $0.split { ";&|".contains($0) }.map(String.init) }
                default: []
                }
            let foreign = modules.first { owners(ofCard: $0).map { !$0.contains(draft.hypervisor) } ?? false }
            guard let foreign else { continue }
            draft.comment(
                file, lineAt: row.line.content.lowerBound, .settings,
                "\(foreign) drives no network card on \(draft.hypervisor.title)")
        }
    }
}

extension PlanDraft {
    /// The drivers of Hyper-V's integration components go on driving the disks, and what hides the disks from the kernel's
    /// own driver stays with them.
    var keepsIntegrationComponents: Bool {
        [.hyperv, .azure].contains(hypervisor) && request.controller != .ide
    }
}
