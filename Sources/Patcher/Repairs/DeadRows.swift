extension Planner {
    /// fstab rows that would stop or delay the boot: shares of the old hypervisor, and disks that do not come along.
    mutating func repairDeadRows() {
        for file in guest.files(.fstab) {
            guard case .fstab(let fstab) = file.syntax else { continue }
            for row in fstab.rows {
                if let owner = Self.shareOwner(row), owner != request.target.hypervisor {
                    let start = row.lineRange.lowerBound
                    edit(
                        file, start..<start, "#", .deadRows,
                        "\(owner.title)'s shared folders are not there on \(request.target.hypervisor.title)")
                } else {
                    repairAbsent(file, row)
                }
            }
        }
    }

    private static func shareOwner(_ row: Fstab.Row) -> Hypervisor? {
        if row.types.contains("vmhgfs") || row.types.contains("fuse.vmhgfs-fuse") { return .vmware }
        return row.types.contains("vboxsf") ? .virtualbox : nil
    }

    private mutating func repairAbsent(_ file: ScannedFile, _ row: Fstab.Row) {
        let essential = ["/", "/usr", "/var", "/boot", "/boot/efi", "/home", "/opt", "/etc"]
        guard !row.isSwap, !row.isNoauto, !row.isNofail, !row.isRemovableMedium,
            row.mountPoint.hasPrefix("/"),
            !essential.contains(row.mountPoint),
            let reference = references.first(where: { $0.file == file.file.key && $0.range == row.specRange }
            ),
            case .unresolved(let reason) = reference.resolution, let options = row.optionsRange
        else { return }
        // What may well be on the given disks is left to be found: only its name is unknown.
        guard isAbsent(row, reason) else { return }
        if knowsNofail {
            let text = row.options == ["defaults"] ? "defaults,nofail" : file.bytes.text(options) + ",nofail"
            edit(
                file, options, text, .deadRows,
                "\(row.spec) is not on the given disks: the boot must not wait for it")
        } else if row.pass != 0, let pass = row.passRange {
            // Old init scripts stop at the check of a device that is not there, not at its mounting.
            edit(
                file, pass, "0", .deadRows,
                "\(row.spec) is not on the given disks: the boot would stop at its check")
        }
    }

    /// On the target no device will bear a name that is tied to hardware; a row that says something else than what is
    /// there, or whose name is twice there, is for people to decide.
    private func isAbsent(_ row: Fstab.Row, _ reason: String) -> Bool {
        switch DeviceName(row.spec) {
        case .disk(let name, _):
            if case .failure(let unresolved) = guest.resolver.disk(of: name) { return unresolved.isAbsent }
            return reason.contains("has no partition")
        case .uuid, .label, .partitionUUID, .partitionLabel: return !reason.contains("is not unique")
        default: return false
        }
    }

    /// mount(8) and the init scripts learned `nofail` about 2009.
    private var knowsNofail: Bool {
        switch (guest.release?.family, guest.release?.major) {
        case (.redHat?, let major?): return major >= 6
        case (.debian?, let major?): return major >= 6
        case (.ubuntu?, let major?): return major >= 10
        case (.suse?, let major?): return major >= 11
        default:
            let version = entries.compactMap { $0.entry.kernelVersion }.first
            return version.map { !isVersion($0, below: [2, 6, 32]) } ?? true
        }
    }
}
