internal import Storage

/// Rows of LVM's devices file that are tied to what the hypervisor's disks tell of themselves, or to their names, become rows by
/// the target's names. A row is of the physical volume whose identifier it has, whatever its device was called when it was seen
/// last: LVM checks that identifier.
enum LVMDeviceRows: PlanStep {
    static let repair = Repair.lvm
    static let reads: [any ConfigurationSyntax.Type] = [LVMDevicesFile.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(LVMDevicesFile.self) {
            for row in file.syntax.rows where row.isOfMachine {
                repair(file.file, row, &draft)
            }
        }
    }

    private static func repair(_ file: ScannedFile, _ row: LVMDevicesFile.Row, _ draft: inout PlanDraft) {
        let device = row.device.map { file.bytes.text($0) } ?? row.nameText
        let found = volume(of: row, file.bytes, draft)
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
        for change in changes(of: row, to: volume, draft) {
            draft.edit(file, change.range, change.text, .lvm, reason)
        }
    }

    /// The physical volume that a row is for.
    static func volume(of row: LVMDevicesFile.Row, _ bytes: [UInt8], _ draft: PlanDraft) -> Resolution {
        if let pvid = row.pvid { return draft.guest.resolver.resolve(physicalVolume: pvid) }
        return draft.guest.resolver.resolve(DeviceName(row.device.map { bytes.text($0) } ?? row.nameText))
    }

    /// What makes a row one by a volume's name on the target; nothing where that is not known.
    static func changes(
        of row: LVMDevicesFile.Row, to volume: Int, _ draft: PlanDraft
    ) -> [TextChange] {
        guard let new = draft.targetName(ofVolume: volume) else { return [] }
        var changes = [TextChange(range: row.type, text: "devname"), TextChange(range: row.name, text: new)]
        if let device = row.device { changes.append(TextChange(range: device, text: new)) }
        // LVM compares the partition's number too.
        switch (draft.guest.volumes[volume].location, row.part) {
        case (.partition(_, let number), let part?):
            changes.append(TextChange(range: part.value, text: String(number)))
        case (.partition(_, let number), nil):
            changes.append(TextChange(range: row.end..<row.end, text: " PART=\(number)"))
        case (.wholeDisk, let part?):
            changes.append(
                TextChange(range: max(0, part.word.lowerBound - 1)..<part.word.upperBound, text: ""))
        default: break
        }
        return changes
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
