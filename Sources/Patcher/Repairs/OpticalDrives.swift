/// Rows of optical drives, whose names nobody knows on the target.
enum OpticalDrives: PlanStep {
    static let repair = Repair.names
    static let reads: [any ConfigurationSyntax.Type] = [Fstab.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(Fstab.self) {
            for row in file.syntax.rows where row.isRemovableMedium {
                guard case .disk(let name, nil) = DeviceName(row.spec) else { continue }
                draft.advise(
                    .names, file.file,
                    "\(name) is the optical drive, which may have another name on \(draft.hypervisor.title); the row is left as it is",
                    isMinor: true)
            }
        }
    }
}
