/// Names that must change, in a file system or a file that cannot be changed: half a patch would be worse than none.
enum UnwritableNamesRule: RefusalRule {
    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? {
        draft.unwritableNames
    }
}
