/// Files of the boot's configuration that cannot be read, or are more than is read: half a patch would be worse than none.
enum UnreadableFileRule: RefusalRule {
    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? {
        draft.guest.unreadable.first.map {
            $0.isOfBounds
                ? .moreThanIsRead(path: $0.path, why: $0.why) : .unreadableFile(path: $0.path, why: $0.why)
        }
    }
}
