/// Settings of tools for single disks: what is right for one disk may be wrong for what bears its name on the target.
enum DiskTools: PlanStep {
    static let repair = Repair.names
    static let reads: [any ConfigurationSyntax.Type] = [DiskToolSettings.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(DiskToolSettings.self).map(\.file) {
            for site in file.sites where DeviceName(site.text).isPositional {
                draft.advise(
                    .names, file,
                    "settings for \(site.text), a disk that has another name or nature on \(draft.hypervisor.title); the file is left as it is",
                    isMinor: true)
            }
        }
    }
}
