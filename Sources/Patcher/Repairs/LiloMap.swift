/// LILO's file is not what boots.
enum LiloMap: PlanStep {
    static let repair = Repair.names
    static let reads: [any ConfigurationSyntax.Type] = [Lilo.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(Lilo.self) {
            draft.advise(
                .names, file.file,
                "LILO keeps the root's device number and the kernel's place in its map: lilo must be run in the guest, or another loader installed; this file is not changed"
            )
        }
    }
}
