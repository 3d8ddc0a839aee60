/// An entry for repair that boots by itself, be it that it did before: the system is not to stay with it.
enum RescueDefault: PlanStep {
    static let repair = Repair.defaultEntry
    static let after: [any PlanStep.Type] = [
        DefaultCanStart.self, DefaultReturnsToXen.self, DefaultIsFallback.self,
    ]

    static func contribute(to draft: inout PlanDraft) {
        var told: [EntryKey] = []
        for item in draft.guest.defaultEntries {
            let moved = draft.movedDefaults[item.key.file]
            let key = moved ?? item.key
            guard let entry = draft.guest.bootEntries.first(where: { $0.key == key }), !told.contains(key),
                entry.entry.isRescue || draft.hasGeneralInitramfs(entry.entry)
            else { continue }
            told.append(key)
            let title = entry.entry.title
            if moved != nil {
                draft.advise(
                    .defaultEntry, item.file,
                    "“\(title)” boots by itself from now on: make an initramfs in the running guest (with dracut, update-initramfs or mkinitcpio), then “\(item.entry.title)” the default again"
                )
            } else {
                draft.advise(
                    .defaultEntry, item.file,
                    "“\(title)”, an entry for repair or for any machine, boots by itself and stays the default: make another the default in the running guest once that starts",
                    isMinor: true)
            }
        }
    }
}
