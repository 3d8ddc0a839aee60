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
                plan.refuse(index, volumes[volume].name, error.message)
            }
        }
        return plan
    }

    /// A plan that cannot be carried out in memory, with the system left out whose changes a volume does not take, and why.
    func refusing(_ plan: GuestPlan, _ error: StorageError) throws(StorageError) -> GuestPlan {
        guard !error.isCancellation, error.kind != .io else { throw error }
        var plan = plan
        let candidates = plan.plans.indices.filter { !plan.plans[$0].actions.isEmpty }
        for index in candidates {
            guard let (volume, why) = try obstacle(to: plan.plans[index].actions) else { continue }
            plan.refuse(index, volumes[volume].name, why)
            return plan
        }
        // Each by itself can be done, and all together cannot.
        guard let last = candidates.last else { throw error }
        plan.refuse(
            last, volumes[plan.plans[last].actions.lazy.compactMap(\.volume).first ?? 0].name, error.message)
        return plan
    }

    /// The volume that does not take its part of the actions, or all of them, and why: of which file, where it is one's alone. Nil
    /// where every one does.
    private func obstacle(to actions: [Action]) throws(StorageError) -> (volume: Int, why: String)? {
        var groups: [(volume: Int, actions: [Action])] = []
        for action in actions {
            guard let volume = action.volume else { continue }
            if let index = groups.firstIndex(where: { $0.volume == volume }) {
                groups[index].actions.append(action)
            } else {
                groups.append((volume, [action]))
            }
        }
        guard let first = groups.first else { return nil }
        for group in groups + [(first.volume, actions)] {
            guard let problem = try problem(of: group.actions) else { continue }
            for action in group.actions {
                if let path = action.path, let own = try self.problem(of: [action]) {
                    return (group.volume, "\(path): \(own.message)")
                }
            }
            return (group.volume, problem.message)
        }
        return nil
    }

    /// What comes of actions in memory; nil where they are carried out.
    private func problem(of actions: [Action]) throws(StorageError) -> StorageError? {
        do throws(StorageError) {
            try PlanExecution(try seen(through: devices.map { OverlayDevice($0) })).run(actions)
            return nil
        } catch {
            guard !error.isCancellation, error.kind != .io else { throw error }
            return error
        }
    }

    /// The plan with what the guest is judged to be on the overlays that hold its changes.
    func heeding(
        _ plan: GuestPlan, _ overlays: [OverlayDevice], _ options: PlanOptions
    ) throws(StorageError) -> GuestPlan {
        do throws(StorageError) {
            return plan.heeding(try seen(through: overlays).planned(options))
        } catch {
            // A guest that is none any more.
            guard !error.isCancellation, error.kind != .io else { throw error }
            var plan = plan
            for index in plan.plans.indices where !plan.plans[index].actions.isEmpty {
                plan.refuse(index, plan.roots[index], error.message)
            }
            return plan
        }
    }
}

extension GuestPlan {
    /// Leaves a system as it is, for a volume does not take its changes.
    fileprivate mutating func refuse(_ index: Int, _ volume: String, _ why: String) {
        plans[index].refusal = .cannotTakeChanges(volume: volume, why: why)
        plans[index].actions = []
    }

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
