/// Terminals that systemd starts on a console that only Xen has.
enum SerialGettys: PlanStep {
    static let repair = Repair.console

    static func contribute(to draft: inout PlanDraft) {
        guard draft.leavesXenConsoles else { return }
        for name in draft.guest.inspection.serialGettys where XenConsole.names.contains(name) {
            draft.advise(
                .console, nil,
                "serial-getty@\(name).service starts a terminal on \(name), which is not there on \(draft.hypervisor.title): disable it in the guest",
                isMinor: true)
        }
    }
}
