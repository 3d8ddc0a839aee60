internal import Storage

/// Rows of LVM's devices file that are tied to the hypervisor's serial numbers become rows by name; LVM then checks the
/// volume's own identifier and looks for it elsewhere when it is not there.
enum LVMDeviceRows: PlanStep {
    static let repair = Repair.lvm
    static let reads: [any ConfigurationSyntax.Type] = [LVMDevicesFile.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(LVMDevicesFile.self) {
            for row in file.syntax.rows { repair(file.file, row, &draft) }
        }
    }

    private static func repair(_ file: ScannedFile, _ row: FieldTable.Row, _ draft: inout PlanDraft) {
        let words = KernelCommandLine(file.bytes, words: row.ranges)
        guard let type = words.last("IDTYPE")?.valueRange, let name = words.last("IDNAME")?.valueRange,
            let device = words.last("DEVNAME")?.valueRange,
            ["sys_wwid", "sys_serial", "devname"].contains(file.bytes.text(type)),
            let reference = draft.guest.reference(in: file, at: device.lowerBound)
        else { return }
        guard case .volume(let volume) = reference.resolution,
            let new = draft.targetName(ofVolume: volume)
        else {
            if !reference.isStable {
                draft.advise(
                    .lvm, file,
                    "the row of \(reference.text) names a device that was not found on the given disks")
            }
            return
        }
        let reason =
            "\(reference.text) is \(draft.guest.volumes[volume].name), which has another identifier on \(draft.hypervisor.title)"
        draft.edit(file, type, "devname", .lvm, reason)
        draft.edit(file, name, new, .lvm, reason)
        draft.edit(file, device, new, .lvm, reason)
    }
}
