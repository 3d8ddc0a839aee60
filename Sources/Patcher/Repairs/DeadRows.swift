extension Repair {
    /// fstab rows whose device or driver is gone.
    public static let deadRows = Repair("dead-rows")
}

/// fstab rows that would stop or delay the boot: shares of the old hypervisor, and disks that do not come along.
enum DeadRows: PlanStep {
    static let repair = Repair.deadRows
    static let reads: [any ConfigurationSyntax.Type] = [Fstab.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(Fstab.self) {
            for row in file.syntax.rows {
                if let owner = shareOwner(row), owner != draft.hypervisor {
                    draft.comment(
                        file.file, lineAt: row.lineRange.lowerBound, .deadRows,
                        "\(owner.title)'s shared folders are not there on \(draft.hypervisor.title)")
                } else if row.isDisplaced {
                    draft.advise(
                        .deadRows, file.file,
                        "the row of \(row.spec) is left as it is: what stands behind its options is no number; a blank inside a field is written \\040"
                    )
                } else {
                    repairAbsent(file.file, row, &draft)
                }
            }
        }
    }

    private static func shareOwner(_ row: Fstab.Row) -> Hypervisor? {
        if row.types.contains("vmhgfs") || row.types.contains("fuse.vmhgfs-fuse") { return .vmware }
        return row.types.contains("vboxsf") ? .virtualbox : nil
    }

    /// What the boot needs, or the next kernel's installation would write beside.
    private static let needed: Set<String> = ["/", "/usr", "/etc", "/var", "/boot", "/boot/efi", "/efi"]

    /// A row whose mount the boot waits for, and that gets no `nofail` here.
    static func isNeeded(_ row: Fstab.Row) -> Bool {
        !row.isSwap && !row.isNoauto && !row.isNofail && needed.contains(row.mountPoint)
    }

    private static func repairAbsent(_ file: ScannedFile, _ row: Fstab.Row, _ draft: inout PlanDraft) {
        guard !row.isSwap, !row.isNoauto, !row.isNofail, !row.isRemovableMedium,
            row.mountPoint.hasPrefix("/"), !needed.contains(row.mountPoint),
            let (reference, reason) = missing(file, row, draft), let options = row.optionsRange
        else { return }
        let what =
            reason.isAbsent
            ? "\(reference.text) is not on the given disks" : "\(reference.text) may have another name here"
        if knowsNofail(draft.guest) {
            let end = options.upperBound
            draft.edit(file, end..<end, ",nofail", .deadRows, "\(what): the boot must not wait for it")
        } else if row.pass != 0, let pass = row.passRange {
            // Old init scripts stop at the check of a device that is not there, not at its mounting.
            draft.edit(file, pass, "0", .deadRows, "\(what): the boot would stop at its check")
        }
    }

    /// The first device of a row, or of its options, that is not to be had.
    private static func missing(
        _ file: ScannedFile, _ row: Fstab.Row, _ draft: PlanDraft
    ) -> (Reference, UnresolvedReason)? {
        for place in [row.specRange] + row.deviceOptions.map(\.range) {
            if let reference = draft.guest.reference(in: file, at: place.lowerBound),
                let reason = reference.unresolved, reason.isAbsent || !reference.isStable
            {
                return (reference, reason)
            }
        }
        return nil
    }

    /// mount(8) and the init scripts learned `nofail` about 2009.
    private static func knowsNofail(_ guest: LinuxSystem) -> Bool {
        switch (guest.release?.family, guest.release?.major) {
        case (.redHat?, let major?): return major >= 6
        case (.debian?, let major?): return major >= 6
        case (.ubuntu?, let major?): return major >= 10
        case (.suse?, let major?): return major >= 11
        default: return guest.firstKernelVersion.map { !isVersion($0, below: [2, 6, 32]) } ?? true
        }
    }
}
