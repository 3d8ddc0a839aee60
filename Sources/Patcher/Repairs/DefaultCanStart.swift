extension Repair {
    /// A default entry that cannot boot there gives way to one that can.
    public static let defaultEntry = Repair("default-entry")
}

/// Moves the default away from an entry that cannot start to the newest that can, in the same loader.
enum DefaultCanStart: PlanStep {
    static let repair = Repair.defaultEntry
    static let after: [any PlanStep.Type] = [DeviceNames.self]

    static func contribute(to draft: inout PlanDraft) {
        for item in draft.guest.defaultEntries where draft.startProblem(item) != nil {
            // Another branch of the same entry may start.
            let starts = draft.guest.defaultEntries.contains {
                $0.isOfSameEntry(as: item) && draft.startProblem($0) == nil
            }
            if starts { continue }
            let others = draft.guest.bootEntries.filter { other in
                other.entry.kernel != nil && draft.startProblem(other) == nil
                    && draft.releaseWithoutModules(other.entry) == nil && other.isOfSameMenu(as: item)
                    && RootRule.judge(other, in: draft).allSatisfy { $0.reason.severity == .note }
            }
            guard let best = others.best else { continue }
            let missing = draft.guest.bootFiles.missing[item.key]
            draft.moveDefault(
                item, to: best,
                missing.map {
                    "\($0) of “\(item.entry.title)” is not on the disks; “\(best.entry.title)” can start"
                }
                    ?? "“\(item.entry.title)” cannot start on \(draft.hypervisor.title); “\(best.entry.title)” can"
            )
        }
    }
}
