/// The fstab mounts a /boot that was not found: the menu is on it.
enum MissingBootRule: RefusalRule {
    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? {
        guard draft.guest.bootEntries.isEmpty else { return nil }
        for reference in draft.guest.references {
            if case .fstab(let row) = reference.use, row.mountPoint == "/boot", !row.isSwap,
                let reason = reference.unresolved
            {
                return .bootUnresolved(reference.text, reason)
            }
        }
        return nil
    }
}
