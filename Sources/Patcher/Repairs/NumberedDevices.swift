/// `root=` by a device number, which belongs to the old controller's driver.
enum NumberedDevices: PlanStep {
    static let repair = Repair.names

    static func contribute(to draft: inout PlanDraft) {
        for item in draft.guest.bootEntries {
            guard let value = item.entry.commandLine.last("root")?.valueRange else { continue }
            let text = item.file.bytes.text(value)
            guard let number = DeviceNumber(text) else { continue }
            let what = "root=\(text) of “\(item.entry.title)” is "
            guard let path = number.path,
                let reference = draft.guest.reference(in: item.file, at: value.lowerBound),
                case .volume(let volume) = reference.resolution
            else {
                draft.advise(
                    .names, item.file,
                    "\(what)a device number, which may be another device's on \(draft.hypervisor.title): give it a name"
                )
                continue
            }
            if !reference.isStable, draft.targetName(ofVolume: volume) != path {
                draft.advise(
                    .names, item.file,
                    "\(what)the number of \(path), which has another there: it is given a name", isMinor: true
                )
            }
        }
    }
}
