/// `--drivers fallback`: the entry whose initramfs was made for any machine becomes the default.
enum DefaultIsFallback: PlanStep {
    static let repair = Repair.defaultEntry
    static let after: [any PlanStep.Type] = [DefaultLeavesXen.self, DefaultReturnsToXen.self]

    static func contribute(to draft: inout PlanDraft) {
        guard draft.request.usesFallbackInitramfs else { return }
        for item in draft.guest.defaultEntries
        where draft.movedDefaults[item.key.file] == nil && !isFallback(item.entry) {
            let others = draft.guest.bootEntries.filter { other in
                isFallback(other.entry) && draft.startProblem(other.entry) == nil
                    && other.isOfSameMenu(as: item)
            }
            guard let best = others.best else {
                draft.advise(
                    .defaultEntry, item.file, "the guest has no entry with a rescue or fallback initramfs")
                continue
            }
            draft.moveDefault(
                item, to: best, "the initramfs of “\(best.entry.title)” has the drivers of any machine")
        }
    }

    /// Red Hat's 0-rescue and Arch's fallback image are built without regard to the machine.
    private static func isFallback(_ entry: BootEntry) -> Bool {
        entry.initrds.contains { $0.contains("-0-rescue-") || $0.contains("-fallback") }
    }
}
