internal import GuestTree
internal import Patcher
internal import Storage

extension Guest {
    /// The plan, where volumes take its changes whose drivers may refuse them late: what keeps them from it shows when the
    /// changes are made in memory. A plan that one cannot take is refused.
    func rehearsed(_ plan: GuestPlan) throws(StorageError) -> GuestPlan {
        var plan = plan
        for index in plan.plans.indices {
            let actions = plan.plans[index].actions.filter { action in
                action.volume.map { registry.driver(for: volumes[$0].identity.kind)?.refusesLate ?? false }
                    ?? false
            }
            guard let volume = actions.first?.volume else { continue }
            do throws(StorageError) {
                let overlays = devices.map { OverlayDevice($0) }
                try PlanExecution(try seen(through: overlays)).run(actions)
            } catch {
                guard !error.isCancellation, error.kind != .io else { throw error }
                plan.plans[index].refusal = .cannotTakeChanges(
                    volume: volumes[volume].name, why: error.message)
                plan.plans[index].actions = []
            }
        }
        return plan
    }

    /// What is planned for the guest as the plan leaves it; nil where it changes nothing, or cannot be carried out in memory, which
    /// is said where it is carried out, before the first byte changes.
    func after(_ plan: GuestPlan, _ options: PlanOptions) throws(StorageError) -> GuestPlan? {
        guard !plan.isEmpty, plan.refusal == nil else { return nil }
        let overlays = devices.map { OverlayDevice($0) }
        do throws(StorageError) {
            try PlanExecution(try seen(through: overlays)).run(plan)
            return try seen(through: overlays).planned(options)
        } catch {
            guard !error.isCancellation, error.kind != .io else { throw error }
            return nil
        }
    }
}

extension GuestPlan {
    /// The plan with what the guest is judged to be once it is carried out: what was inferred from names that it replaces
    /// goes with them, and with it the menu or the disk that counted.
    func heeding(_ after: GuestPlan) -> GuestPlan {
        guard after.roots == roots else { return self }
        var plan = self
        for (index, later) in after.plans.enumerated() where plan.plans[index].refusal == nil {
            if let refusal = later.refusal {
                plan.plans[index].refusal = .afterChanges(refusal)
            } else if let action = later.actions.first {
                plan.plans[index].refusal = .wouldChangeAgain(path: action.path ?? plan.roots[index])
            } else {
                plan.plans[index].unknown = plan.plans[index].unknown ?? later.unknown
                continue
            }
            plan.plans[index].actions = []
        }
        return plan
    }
}

extension Action {
    /// The volume that it changes.
    fileprivate var volume: Int? {
        switch kind {
        case .edit(let edit): edit.file.volume
        case .replace(let file, _): file.volume
        case .create(let place, _, _), .copy(_, let place), .rename(let place, _), .remove(let place):
            place.directory.volume
        case .setLabel(let volume, _), .deviceBytes(let volume, _, _, _): volume
        }
    }
}
