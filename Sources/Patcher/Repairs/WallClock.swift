/// Xen's setting of the guest's clock.
enum WallClock: PlanStep {
    static let repair = Repair.clock
    static let reads: [any ConfigurationSyntax.Type] = [SysctlConfiguration.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(SysctlConfiguration.self).map(\.file)
        where file.text.contains("xen.independent_wallclock") {
            draft.advise(.clock, file, "xen.independent_wallclock concerns Xen alone", isMinor: true)
        }
    }
}
