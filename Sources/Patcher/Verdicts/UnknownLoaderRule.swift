/// Kernels without a loader that is known here.
enum UnknownLoaderRule: RefusalRule {
    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? {
        let guest = draft.guest
        guard guest.bootEntries.isEmpty, guest.inspection.hasBootFiles,
            !guest.files.contains(where: { type(of: $0.syntax).isBootLoader })
        else { return nil }
        return .unknownLoader
    }
}
