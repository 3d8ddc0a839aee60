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
