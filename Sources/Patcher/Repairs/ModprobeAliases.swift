extension Repair {
    /// Settings that the next installation of a kernel or boot loader reads.
    package static let settings = Repair("settings")
}

/// modprobe.conf of the RHEL 4 and 5 era: the disk drivers that the next initrd is made from, and modules of network cards
/// that are no part of the kernel. The next boot does not depend on it, but the one after the next kernel update does.
enum ModprobeAliases: PlanStep {
    static let repair = Repair.settings
    static let reads: [any ConfigurationSyntax.Type] = [ModprobeConfiguration.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(ModprobeConfiguration.self) {
            chooseHostAdapter(file.file, file.syntax.rows, &draft)
            disableForeignCards(file.file, file.syntax.rows, &draft)
        }
    }

    /// The modules that mkinitrd of the RHEL 4 and 5 era takes from `scsi_hostadapter` aliases. Empty: built in.
    private static func hostAdapters(_ draft: PlanDraft) -> [String] {
        switch draft.controller {
        case .ide, .storvsc: []
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
        let harmless: Set<String> = ["ata_piix", "ahci", "libata", "usb-storage"]
        let aliases = rows.filter {
            $0.words.count >= 3 && $0.words[0] == "alias" && $0.words[1].hasPrefix("scsi_hostadapter")
        }
        var isListed = wanted.isEmpty || aliases.contains { wanted.contains($0.words[2]) }
        for row in aliases where !wanted.contains(row.words[2]) && !harmless.contains(row.words[2]) {
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

    /// vmxnet and xennet are no part of the guest's own kernel: an alias to them hides the real card.
    private static func disableForeignCards(
        _ file: ScannedFile, _ rows: [FieldTable.Row], _ draft: inout PlanDraft
    ) {
        let target = draft.hypervisor
        for row in rows where row.words.count >= 3 {
            let isVMware = row.words[0] == "alias" && row.words[2].hasPrefix("vmxnet")
            let isWrapper = row.words[0] == "install" && row.words.contains("vmxnet")
            let isXen = row.words[0] == "alias" && (row.words[2] == "xennet" || row.words[2] == "xen-vnif")
            if (isVMware || isWrapper) && target != .vmware || isXen && !target.hasAliasedDiskNames {
                draft.comment(
                    file, lineAt: row.line.content.lowerBound, .settings,
                    "\(isXen ? row.words[2] : "vmxnet") drives no network card there")
            }
        }
    }
}
