internal import Storage

/// Rows of LVM's devices file that are tied to what the hypervisor's disks tell of themselves, or to their names, become rows by
/// the target's names. A row is of the physical volume whose identifier it has, whatever its device was called when it was seen
/// last: LVM checks that identifier.
enum LVMDeviceRows: PlanStep {
    static let repair = Repair.lvm
    static let reads: [any ConfigurationSyntax.Type] = [LVMDevicesFile.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(LVMDevicesFile.self) {
            for row in file.syntax.rows where row.isOfHardware || row.typeText == "devname" {
                repair(file.file, row, &draft)
            }
        }
    }

    private static func repair(_ file: ScannedFile, _ row: LVMDevicesFile.Row, _ draft: inout PlanDraft) {
        let device = row.device.map { file.bytes.text($0) } ?? row.nameText
        let found: Resolution =
            if let pvid = row.pvid {
                draft.guest.resolver.resolve(physicalVolume: pvid)
            } else {
                draft.guest.resolver.resolve(DeviceName(device))
            }
        guard case .volume(let volume) = found else {
            sayUntold(row, device, found, file, &draft)
            return
        }
        guard let new = draft.targetName(ofVolume: volume) else { return }
        let name = draft.guest.volumes[volume].name
        let title = draft.hypervisor.title
        let reason =
            row.pvid.map { "the physical volume \($0) is \(name), which is \(new) on \(title)" }
            ?? "\(device) is \(name), which has another identifier on \(title)"
        draft.edit(file, row.type, "devname", .lvm, reason)
        draft.edit(file, row.name, new, .lvm, reason)
        if let device = row.device { draft.edit(file, device, new, .lvm, reason) }
        // LVM compares the partition's number too.
        switch (draft.guest.volumes[volume].location, row.part) {
        case (.partition(_, let number), let part?):
            draft.edit(file, part.value, String(number), .lvm, reason)
        case (.partition(_, let number), nil):
            draft.edit(file, row.end..<row.end, " PART=\(number)", .lvm, reason)
        case (.wholeDisk, let part?):
            draft.edit(file, max(0, part.word.lowerBound - 1)..<part.word.upperBound, "", .lvm, reason)
        default: break
        }
    }

    /// A row that stays.
    private static func sayUntold(
        _ row: LVMDevicesFile.Row, _ device: String, _ found: Resolution, _ file: ScannedFile,
        _ draft: inout PlanDraft
    ) {
        guard case .unresolved(let reason) = found else { return }
        if case .shared(_, let volumes) = reason {
            draft.advise(
                .lvm, file,
                "the row of \(device) is left as it is: \(volumes.joined(separator: " and ")) are the same physical volume"
            )
        } else if let pvid = row.pvid {
            draft.advise(
                .lvm, file,
                "the row \(row.typeText) \(row.nameText) is left as it is: its physical volume, \(pvid), is on none of the given disks"
            )
        } else if DeviceName(device).isPositional {
            draft.advise(
                .lvm, file, "the row of \(device) names a device that was not found on the given disks")
        }
    }
}
