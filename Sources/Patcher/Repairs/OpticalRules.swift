/// udev's rules for names of optical drives.
enum OpticalRules: PlanStep {
    static let repair = Repair.net
    static let reads: [any ConfigurationSyntax.Type] = [CDRules.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(CDRules.self).map(\.file) where file.text.contains("ID_PATH") {
            draft.advise(
                .net, file, "names of optical drives are tied to the old controller; udev gives new ones",
                isMinor: true)
        }
    }
}
