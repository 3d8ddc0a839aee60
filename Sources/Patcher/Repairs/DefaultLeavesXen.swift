extension Repair {
    /// A default entry that cannot boot there gives way to one that can.
    public static let defaultEntry = Repair("default-entry")
}

/// Moves the default away from an entry that cannot start to the newest that can, in the same loader.
enum DefaultLeavesXen: PlanStep {
    static let repair = Repair.defaultEntry
    static let after: [any PlanStep.Type] = [DeviceNames.self]

    static func contribute(to draft: inout PlanDraft) {
        for item in draft.guest.defaultEntries where draft.startProblem(item.entry) != nil {
            // Another branch of the same entry may start.
            let starts = draft.guest.defaultEntries.contains {
                $0.isOfSameEntry(as: item) && draft.startProblem($0.entry) == nil
            }
            if starts { continue }
            let others = draft.guest.bootEntries.filter { other in
                other.entry.kernel != nil && draft.startProblem(other.entry) == nil
                    && draft.releaseWithoutModules(other.entry) == nil && other.isOfSameMenu(as: item)
            }
            guard let best = others.best else { continue }
            draft.moveDefault(
                item, to: best,
                "“\(item.entry.title)” cannot start on \(draft.hypervisor.title); “\(best.entry.title)” can")
        }
    }
}
