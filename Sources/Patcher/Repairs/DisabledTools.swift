extension Repair {
    /// Guest tools of the source's hypervisor.
    public static let tools = Repair("tools", needsAsking: true)
}

/// Guest tools of other hypervisors are kept from starting: links that start them get a name that init and systemd pass
/// over. Renaming back is all that undoing takes.
enum DisabledTools: PlanStep {
    static let repair = Repair.tools

    static func contribute(to draft: inout PlanDraft) {
        guard draft.request.wants(.tools) else { return }
        for link in draft.guest.inspection.toolLinks where link.hypervisor != draft.hypervisor {
            draft.add(
                .rename(link.place, to: link.disabledName), .tools,
                "it starts a tool of \(link.hypervisor.title); renaming it back undoes this")
        }
    }
}
