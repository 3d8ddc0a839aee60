internal import GuestTree

/// Where drivers are to come from there: the entry whose initramfs was made for any machine becomes the default. Where there
/// is none, the verdict says it.
enum DefaultIsFallback: PlanStep {
    static let repair = Repair.defaultEntry
    static let after: [any PlanStep.Type] = [DefaultCanStart.self, DefaultReturnsToXen.self]

    static func contribute(to draft: inout PlanDraft) {
        guard draft.request.drivers == .fallback || draft.drivers.way == .fallback else { return }
        for item in draft.guest.defaultEntries
        where draft.movedDefaults[item.key.file] == nil && !draft.hasGeneralInitramfs(item.entry) {
            if let best = draft.fallback(beside: item) {
                draft.moveDefault(
                    item, to: best, "the initramfs of “\(best.entry.title)” has the drivers of any machine")
            }
        }
    }
}
