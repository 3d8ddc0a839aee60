/// Whether the kernel finds its disks: the drivers of the controller are built in, in the initramfs, or added to it.
enum DriversRule: VerdictRule {
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        // What cannot start needs no drivers.
        guard draft.startProblem(entry) == nil else { return [] }
        let reason: VerdictReason
        switch draft.drivers(of: entry) {
        case .notChecked, .present, .added, .unreadable: return []
        case .needsArgument(let argument): reason = .needsArgument(argument, draft.controller)
        case .missing(let names, let why): reason = .driversMissing(names, draft.controller, why)
        case .noSuchDriver(let what, let release):
            reason = .noSuchDriver(what, release: release, draft.controller)
        }
        return [VerdictFinding(reason, symptom: symptom(entry.entry, draft.guest))]
    }

    private static func symptom(_ entry: BootEntry, _ guest: LinuxSystem) -> String {
        RootRule.symptom(entry, guest)
    }
}
