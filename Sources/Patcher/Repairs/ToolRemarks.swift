/// Guest tools that have nothing to do on the target.
enum ToolRemarks: PlanStep {
    static let repair = Repair.tools

    static func contribute(to draft: inout PlanDraft) {
        for tool in draft.guest.inspection.tools where tool.hypervisor != draft.hypervisor {
            draft.advise(
                Advice(
                    repair: .tools, path: tool.path,
                    message:
                        "\(tool.name) serve \(tool.hypervisor.title) and can be removed on \(draft.hypervisor.title)",
                    isMinor: true))
        }
    }
}
