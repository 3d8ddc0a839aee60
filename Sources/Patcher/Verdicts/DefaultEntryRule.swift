internal import GuestTree

/// No entry that would boot by itself can. A loader whose file is not read at boot does not count: nothing that is written
/// here makes it better or worse.
enum DefaultEntryRule: RefusalRule {
    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? {
        let read = Set(draft.guest.files.filter(\.isReadAtBoot).map(\.file.key))
        let judged = verdicts.filter { read.contains($0.entry.file) }
        let defaults = judged.filter(\.isDefault)
        let deciding = defaults.isEmpty ? judged : defaults
        let reasons = deciding.compactMap { verdict -> VerdictReason? in
            guard case .cannot(let reason) = verdict.outcome else { return nil }
            return .defaultCannot(title: verdict.title, reason, on: draft.hypervisor)
        }
        return reasons.count == deciding.count ? reasons.first : nil
    }
}
