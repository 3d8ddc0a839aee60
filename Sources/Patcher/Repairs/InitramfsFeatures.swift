/// Alpine's mkinitfs puts in what its features name.
enum InitramfsFeatures: PlanStep {
    static let repair = Repair.settings
    static let reads: [any ConfigurationSyntax.Type] = [MkinitfsConfiguration.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(MkinitfsConfiguration.self) { repair(file, &draft) }
    }

    private static func repair(_ file: ParsedFile<MkinitfsConfiguration>, _ draft: inout PlanDraft) {
        let wanted: String? =
            switch draft.controller {
            // Hyper-V's own driver takes the disks of every controller there.
            case _ where draft.hypervisor == .hyperv: "scsi"
            case .ide, .ahci: "ata"
            case .nvme: "nvme"
            case .virtioBlk, .virtioSCSI: "virtio"
            case .xenBlkfront: "xenpci"
            default: "scsi"
            }
        guard let wanted, let list = file.syntax.variables.last("features"), !list.isOpaque,
            list.quote != nil,
            !list.text.split(whereSeparator: \.isWhitespace).contains(Substring(wanted))
        else { return }
        let end = list.valueRange.upperBound
        let isUnread = !draft.guest.defaultEntries.contains { draft.drivers(of: $0).isKnown }
        if draft.edit(
            file.file, end..<end, " " + wanted, .settings,
            "the next initramfs needs the driver of \(draft.controller.rawValue)"), isUnread
        {
            draft.advise(
                .settings, file.file,
                "the present initramfs was made without “\(wanted)” and may lack the driver of \(draft.controller.rawValue)"
            )
        }
    }
}
