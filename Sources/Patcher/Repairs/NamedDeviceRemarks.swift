internal import Storage

/// Names of devices in files and arguments that are never changed, and that mean another device on the target, or none.
enum NamedDeviceRemarks: PlanStep {
    static let repair = Repair.names
    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files where type(of: file.syntax).namesAreRemarkedOn {
            var names: [String] = []
            for site in file.sites {
                guard case .reported = site.use, DeviceName(site.text).isPositional,
                    !names.contains(site.text)
                else { continue }
                names.append(site.text)
            }
            guard !names.isEmpty else { continue }
            draft.advise(
                .names, file,
                "\(names.joined(separator: ", ")) may be another device on \(draft.hypervisor.title), or none; the file is left as it is"
            )
        }
    }
}
