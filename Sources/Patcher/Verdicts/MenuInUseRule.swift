/// A menu that the guest's loader does not read.
enum MenuInUseRule: VerdictRule {
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        draft.guest.isInUse(entry.file) ? [] : [VerdictFinding(.menuNotInUse)]
    }
}
