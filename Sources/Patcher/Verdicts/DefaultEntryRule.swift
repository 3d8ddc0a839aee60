internal import GuestTree

/// No entry that would boot by itself can. A menu that is made into a map, or left over, does not count beside one that the
/// loader reads.
enum DefaultEntryRule: RefusalRule {
    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? {
        let deciding = deciding(draft, verdicts)
        let reasons = deciding.compactMap { verdict -> VerdictReason? in
            guard case .cannot(let reason) = verdict.outcome else { return nil }
            return .defaultCannot(title: verdict.title, reason, on: draft.hypervisor)
        }
        return reasons.count == deciding.count ? reasons.first : nil
    }

    /// The entries of which one must boot.
    static func deciding(_ draft: PlanDraft, _ verdicts: [EntryVerdict]) -> [EntryVerdict] {
        let menus = draft.guest.files.filter { !$0.bootEntries.isEmpty && draft.guest.isInUse($0) }
        let read = menus.contains(where: \.isReadAtBoot) ? menus.filter(\.isReadAtBoot) : menus
        let keys = Set(read.map(\.file.key))
        let judged = verdicts.filter { keys.contains($0.entry.file) }
        let defaults = judged.filter(\.isDefault)
        return defaults.isEmpty ? judged : defaults
    }
}
