/// What the user said and the guest contradicts: nothing is guessed, and nothing half done.
enum StatementRule: RefusalRule {
    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? {
        let reasons = draft.guest.references.lazy.compactMap(\.unresolved)
        if let reason = reasons.first(where: \.isContradictedStatement) { return .statedWrongly(reason) }
        return draft.unmetStatement
    }
}
