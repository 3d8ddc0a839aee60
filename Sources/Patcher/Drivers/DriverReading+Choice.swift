internal import Storage

/// The controller, and the way in which its drivers get into the guest.
extension DriverReading {
    /// Chooses the cheapest way that works. What cannot be told decides nothing: the first controller stays then.
    func choose(_ facts: inout DriverFacts, _ deciding: [MenuEntry]) throws(StorageError) {
        guard !deciding.isEmpty else { return }
        let states = candidates.map { combined($0, facts, deciding) }
        facts.table = states.filter { target.controllers.contains($0.controller) }
        let offered = request.controller == nil ? states : Array(states.prefix(1))
        guard let first = offered.first else { return }
        switch facts.source {
        case .fallback:
            let draft = PlanDraft(guest, request, facts)
            // Without one nothing is done, and the verdict says so.
            guard deciding.allSatisfy({ draft.fallback(beside: $0) != nil }) else {
                facts.way = .none
                return
            }
            facts.way = .fallback
            facts.controller =
                try controllerOfFallback(offered.map(\.controller), deciding, &facts) ?? first.controller
            return
        case .overlay:
            if first.canBeAdded { facts.way = .overlay }
            return
        case .auto, .never: break
        }
        if first.isDriven { return }
        switch first.state {
        case .unknown, .unreadable: return
        case .present, .needsArgument, .missing, .forbidden, .hidden, .unusable, .noSuchDriver: break
        }
        if let other = offered.first(where: \.isDriven) {
            (facts.controller, facts.way) = (other.controller, .otherController)
        } else if let other = offered.first(where: { $0.state == .present }), let argument = other.argument {
            (facts.controller, facts.way) = (other.controller, .kernelArgument(argument))
        } else if facts.source == .auto,
            let (controller, way) = try automaticWay(offered, deciding, &facts)
        {
            (facts.controller, facts.way) = (controller, way)
        } else if let other = offered.first(where: { $0.state == .unknown }) {
            facts.controller = other.controller
        } else {
            facts.way = .none
        }
    }

    /// A general image of the kernel that boots comes before added modules, and these, where they are known to do, before a
    /// kernel of another release: a rescue entry's is that of the day of installation.
    private func automaticWay(
        _ offered: [ControllerVerdict], _ deciding: [MenuEntry], _ facts: inout DriverFacts
    ) throws(StorageError) -> (Controller, DriverFacts.Way)? {
        let general = try controllerOfFallback(offered.map(\.controller), deciding, &facts)
        let added = offered.first(where: \.canBeAdded)?.controller
        guard let general else { return added.map { ($0, .overlay) } }
        let draft = PlanDraft(guest, request, DriverFacts(controller: general))
        let isOwn = deciding.allSatisfy { item in
            draft.fallback(beside: item).map { isOfSameKernel($0, as: item, facts) } ?? false
        }
        if !isOwn, let added, try canAdd(behind: added, deciding, facts) {
            return (added, .overlay)
        }
        return (general, .fallback)
    }

    private func isOfSameKernel(_ entry: MenuEntry, as item: MenuEntry, _ facts: DriverFacts) -> Bool {
        if entry.entry.kernel == item.entry.kernel { return true }
        let releases = [entry, item].map { facts.facts(of: $0).release }
        return releases[0] != nil && releases[0] == releases[1]
    }

    /// Every default is known to have its drivers once they are added.
    private func canAdd(
        behind controller: Controller, _ deciding: [MenuEntry], _ facts: DriverFacts
    ) throws(StorageError) -> Bool {
        var trial = facts
        (trial.controller, trial.way) = (controller, .overlay)
        try planOverlays(&trial, deciding, of: deciding)
        return deciding.allSatisfy { item in
            if let overlay = trial.overlay(for: item) {
                return overlay.after.controllers[controller]?.state == .present
            }
            return trial.state(of: item) == .present
                && CopiedFilterRule.problem(item, PlanDraft(guest, request, trial)) == nil
        }
    }

    /// The worst of all entries that boot by themselves.
    private func combined(
        _ controller: Controller, _ facts: DriverFacts, _ deciding: [MenuEntry]
    ) -> ControllerVerdict {
        var verdict = ControllerVerdict(controller: controller, state: .present)
        var own = facts
        own.controller = controller
        let draft = PlanDraft(guest, request, own)
        for entry in deciding {
            let known = facts.facts(of: entry)
            let found = known.controllers[controller] ?? ControllerState(.unknown)
            verdict.state = verdict.state.and(found.state(of: entry, known, adding: true))
            if let copy = CopiedFilterRule.problem(entry, draft) {
                let isMendable = CopiedFilterRule.correction(of: entry, draft) != nil
                verdict.state = verdict.state.and(.hidden(by: copy.path, isMendable: isMendable))
            }
            if MachineRule.isStartedByUEFI(guest, target), !target.startsByUEFI(behind: controller) {
                verdict.state = .noSuchDriver("the machine's UEFI")
            }
            if draft.startProblem(entry) != nil {
                verdict.state = .noSuchDriver("a kernel that can start there")
            }
            if let argument = found.argument,
                found.state(with: entry.entry.commandLine, adding: false) != .present
            {
                verdict.argument = argument
            }
        }
        return verdict
    }

    /// The first controller that the rescue or fallback entry beside every default drives.
    private func controllerOfFallback(
        _ controllers: [Controller], _ deciding: [MenuEntry], _ facts: inout DriverFacts
    ) throws(StorageError) -> Controller? {
        for controller in controllers {
            let draft = PlanDraft(guest, request, DriverFacts(controller: controller))
            var entries: [MenuEntry] = []
            for item in deciding {
                guard let entry = draft.fallback(beside: item), canBeDefault(entry, inPlaceOf: item) else {
                    return nil
                }
                entries.append(entry)
                let start = KernelStart(entry)
                if facts.known(start) == nil {
                    facts.set(try startFacts(of: entry, behind: candidates), for: start)
                }
            }
            // As the plan after this one judges them.
            if combined(controller, facts, entries).isDriven { return controller }
        }
        return nil
    }

    /// The menu can say so, and it is wanted.
    private func canBeDefault(_ entry: MenuEntry, inPlaceOf item: MenuEntry) -> Bool {
        guard request.wants(.defaultEntry), let menu = item.file.syntax.bootMenu else { return false }
        return entry.key == item.key || !menu.choose(entry, in: item.file, of: guest).changes.isEmpty
    }
}

extension ControllerVerdict {
    /// Disks behind it are found as the guest is.
    package var isDriven: Bool { state == .present && argument == nil }

    /// The kernel has the modules, or what hides the root can be put right beside the initramfs.
    var canBeAdded: Bool {
        switch state {
        case .missing(let names): !names.isEmpty
        case .hidden(_, let isMendable): isMendable
        default: false
        }
    }
}
