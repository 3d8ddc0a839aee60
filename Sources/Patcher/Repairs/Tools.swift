extension Planner {
    /// Guest tools of other hypervisors are kept from starting: links that start them get a name that init and
    /// systemd pass over. Renaming back is all that undoing takes.
    mutating func disableTools() {
        guard request.wants(.tools) else { return }
        for link in guest.inspection.toolLinks where link.hypervisor != request.target.hypervisor {
            extraActions.append(
                Action(
                    kind: .rename(path: link.path, newName: link.disabledName),
                    reason: "it starts a tool of \(link.hypervisor.title); renaming it back undoes this",
                    repairs: [.tools], directory: link.directory))
        }
    }
}
