internal import Storage

/// What is suspended goes on with the disks as it left them: any change would be damage.
enum SuspendedSystemRule: RefusalRule {
    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? {
        draft.guest.volumes.first { $0.identity.isHibernated }.map { .suspended(volume: $0.name) }
    }
}
