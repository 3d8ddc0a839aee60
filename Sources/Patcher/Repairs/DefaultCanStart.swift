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
            let others = draft.startable(beside: item).filter { other in
                RootRule.judge(other, in: draft).allSatisfy { $0.reason.severity == .note }
            }
            guard let best = others.best else { continue }
            let can = isHere(item, draft) ? "can" : "can start"
            draft.moveDefault(item, to: best, "\(whyNot(item, draft)); “\(best.entry.title)” \(can)")
        }
    }

    private static func isHere(_ item: MenuEntry, _ draft: PlanDraft) -> Bool {
        switch draft.startProblem(item) {
        case .fileMissing?, .fileElsewhere?, .loaderDeviceMissing?: false
        default: true
        }
    }

    private static func whyNot(_ item: MenuEntry, _ draft: PlanDraft) -> String {
        switch draft.startProblem(item) {
        case .fileMissing(let path)?: "\(path) of “\(item.entry.title)” is not on the disks"
        case .fileElsewhere(let path, let volume)?:
            "\(path) of “\(item.entry.title)” is not on \(volume ?? "any volume by that path"), where its loader looks for it"
        case .loaderDeviceMissing(let name, let problem)?:
            "“\(item.entry.title)” is looked for on \(name), and \(problem.words)"
        default: "“\(item.entry.title)” cannot start on \(draft.hypervisor.title)"
        }
    }
}
