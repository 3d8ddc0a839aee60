internal import Storage

/// Firmware and controller: what the target's machine has, and the guest needs.
enum MachineRule: VerdictRule, RefusalRule {
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        misfit(draft).map { [VerdictFinding($0)] } ?? []
    }

    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? { misfit(draft) }

    private static func misfit(_ draft: PlanDraft) -> VerdictReason? {
        let target = draft.target
        if target.firmware == .uefi, !draft.guest.hasUEFILoader { return .noUEFILoader(target: target.name) }
        guard let chosen = draft.request.controller, !target.controllers.contains(chosen) else { return nil }
        return .controllerNotOffered(chosen, target: target)
    }
}

extension Guest {
    /// A partition for UEFI's loaders is there.
    package var hasEFISystemPartition: Bool {
        volumes.contains(where: \.isEFISystemPartition) || mounts.contains { $0.path == "/boot/efi" }
    }

    /// Something shows that UEFI has booted it.
    var hasUEFILoader: Bool {
        hasEFISystemPartition || inspection.hasFallbackLoader != nil
            || !files(SystemdBootConfiguration.self).isEmpty
    }
}
