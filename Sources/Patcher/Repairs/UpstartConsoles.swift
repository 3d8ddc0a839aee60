/// Logins that Upstart starts on a console that is not there, again and again.
enum UpstartConsoles: PlanStep {
    static let repair = Repair.console
    static let after: [any PlanStep.Type] = [KernelConsoles.self]
    static let reads: [any ConfigurationSyntax.Type] = [UpstartJob.self]

    static func contribute(to draft: inout PlanDraft) {
        guard draft.leavesXenConsoles else { return }
        for file in draft.guest.files(UpstartJob.self) {
            guard let console = file.syntax.loginConsole,
                XenConsole.names.contains(console) || console == "hvsi0",
                !(console == "hvc0" && draft.keepsVirtioConsole)
            else { continue }
            for line in file.syntax.startLines {
                draft.comment(
                    file.file, lineAt: line.content.lowerBound, .console,
                    "\(console) is not there on \(draft.hypervisor.title): no login is started on it")
            }
        }
    }
}
