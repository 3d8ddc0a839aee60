extension Repair {
    /// fstab rows whose device or driver is gone.
    public static let deadRows = Repair("dead-rows")
}

/// fstab rows that would stop or delay the boot: shares of the old hypervisor, and disks that do not come along.
enum DeadRows: PlanStep {
    static let repair = Repair.deadRows
    static let after: [any PlanStep.Type] = [LVMDeviceRows.self]
    static let reads: [any ConfigurationSyntax.Type] = [Fstab.self]

    static func contribute(to draft: inout PlanDraft) {
        let missing = MissingPlaces(draft)
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
                    repairAbsent(file.file, row, missing, &draft)
                }
            }
        }
    }

    private static func shareOwner(_ row: Fstab.Row) -> Hypervisor? {
        if row.types.contains("vmhgfs") || row.types.contains("fuse.vmhgfs-fuse") { return .vmware }
        return row.types.contains("vboxsf") ? .virtualbox : nil
    }

    /// What the boot needs, or the next kernel's installation would write beside.
    static let needed: Set<String> = [
        "/", "/usr", "/etc", "/var", "/boot", "/boot/efi", "/efi", "/lib", "/lib64", "/bin", "/sbin",
        "/usr/lib",
        "/usr/bin", "/usr/sbin", "/usr/lib64", "/var/lib", "/lib/modules", "/usr/lib/modules",
        "/lib/firmware",
    ]

    /// A row whose mount the boot waits for, and that gets no `nofail` here.
    static func isNeeded(_ row: Fstab.Row, _ guest: LinuxSystem) -> Bool {
        !row.isSwap && !row.isNoauto && !guest.isOptional(row) && needed.contains(row.mountPoint)
    }

    private static func repairAbsent(
        _ file: ScannedFile, _ row: Fstab.Row, _ missing: MissingPlaces, _ draft: inout PlanDraft
    ) {
        if draft.standsAside(file, row) {
            let word = draft.guest.isOptional(row) ? nil : draft.guest.optionalWord
            let options = (word.map { ",\($0)" } ?? "") + ",noauto"
            let end = (row.optionsRange ?? row.typesRange).upperBound
            draft.edit(
                file, end..<end, row.optionsRange == nil ? " defaults\(options)" : options, .deadRows,
                "which disk \(row.spec) is cannot be told, and \(draft.hypervisor.title) gives that name to another: it must not be mounted by itself"
            )
            return
        }
        guard !row.isNoauto, !draft.guest.isOptional(row), row.isSwap || row.mountPoint.hasPrefix("/"),
            !needed.contains(row.mountPoint),
            let what = absence(file, row, draft)
                ?? missing.place(below: row).map({
                    "\(row.isSwap ? row.spec : row.mountPoint) hangs on \($0), where nothing may be mounted"
                })
        else { return }
        if let word = draft.guest.optionalWord {
            let end = (row.optionsRange ?? row.typesRange).upperBound
            let text = row.optionsRange == nil ? " defaults,\(word)" : ",\(word)"
            draft.edit(file, end..<end, text, .deadRows, "\(what): the boot must not wait for it")
        } else if !row.isSwap, row.pass != 0, let pass = row.passRange {
            // Old init scripts stop at the check of a device that is not there, not at its mounting.
            draft.edit(file, pass, "0", .deadRows, "\(what): the boot would stop at its check")
        }
    }

    /// What of a row, or of its options, is not to be had.
    static func absence(_ file: ScannedFile, _ row: Fstab.Row, _ draft: PlanDraft) -> String? {
        for place in [row.specRange] + row.deviceOptions.map(\.range) {
            guard let reference = draft.guest.reference(in: file, at: place.lowerBound) else { continue }
            if reference.resolution == .notADisk, reference.isDrive || row.isRemovableMedium {
                return "the medium in \(reference.text) does not come along"
            }
            if case .volume(let volume) = reference.resolution,
                let (path, hidden) = draft.devicesFile(hiding: draft.guest.volumes[volume])
            {
                return
                    "\(path) has no row for \(hidden.joined(separator: ", ")), so that LVM does not make \(reference.text)"
            }
            guard let reason = reference.unresolved, let what = reason.absence(of: reference) else {
                continue
            }
            return what
        }
        return nil
    }
}

extension UnresolvedReason {
    /// What is to be said of a name that a boot may wait for in vain; nil where it will not.
    func absence(of reference: Reference) -> String? {
        if case .numberedMapping = self { return "which mapping \(reference.text) is cannot be told" }
        if isNumbered { return "which mapping \(reference.text) is made of cannot be told" }
        guard mayBeMissing || !reference.isStable else { return nil }
        if case .notWhole = self { return "\(reference.text) is not whole on the given disks" }
        if isAbsent { return "\(reference.text) is not on the given disks" }
        if case .mappingCircle = self { return "\(reference.text) is made of itself, by the tables" }
        return reference.isStable
            ? "nothing on the given disks shows what \(reference.text) is"
            : "\(reference.text) may have another name here"
    }
}

extension Reference {
    /// A drive for discs or floppies.
    fileprivate var isDrive: Bool {
        switch DeviceName(text) {
        case .optical, .floppy: true
        default: false
        }
    }
}

extension LinuxSystem {
    /// mount(8) and the init scripts learned `nofail` about 2009.
    var knowsNofail: Bool {
        switch (release?.family, release?.major) {
        case (.redHat?, let major?):
            return switch release?.distribution {
            case .fedora?: major >= 10
            case .amazon?: true
            default: major >= 6
            }
        case (.debian?, let major?): return major >= 6
        case (.ubuntu?, let major?): return major >= 10
        case (.suse?, let major?): return major >= 11
        default: return firstKernelVersion.map { !isVersion($0, below: [2, 6, 32]) } ?? true
        }
    }

    /// mountall(8) of Upstart mounts: it waits for every row of the guest's own disks, whatever `nofail` says.
    var startsWithMountall: Bool {
        guard release?.family == .ubuntu, let major = release?.major else { return false }
        return (10...14).contains(major)
    }

    /// The word of a row's options that lets the boot go on without it; nil where there is none.
    var optionalWord: String? { startsWithMountall ? "nobootwait" : knowsNofail ? "nofail" : nil }

    /// The boot goes on without this row.
    func isOptional(_ row: Fstab.Row) -> Bool {
        startsWithMountall ? row.options.contains("nobootwait") : row.isNofail
    }

    /// systemd starts it.
    var startsWithSystemd: Bool {
        switch (release?.family, release?.major) {
        case (.redHat?, let major?):
            return switch release?.distribution {
            case .fedora?: major >= 15
            case .amazon?: major == 2 || major == 2023
            default: major >= 7
            }
        case (.debian?, let major?): return major >= 8
        case (.ubuntu?, let major?): return major >= 15
        case (.suse?, let major?): return major >= 12
        case (.arch?, _): return true
        default: return false
        }
    }
}
