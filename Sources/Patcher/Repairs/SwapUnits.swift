/// A swap unit's file is called after its device: both would have to change, and every link to the file.
enum SwapUnits: PlanStep {
    static let repair = Repair.names
    static let reads: [any ConfigurationSyntax.Type] = [SystemdMount.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(SystemdMount.self) where file.syntax.mountPoint == nil {
            guard let device = file.syntax.device, DeviceName(device.text).isPositional else { continue }
            draft.advise(
                .names, file.file,
                "the unit swaps to \(device.text), and its file is called after it: put a row with the UUID into /etc/fstab in its place"
            )
        }
    }
}
