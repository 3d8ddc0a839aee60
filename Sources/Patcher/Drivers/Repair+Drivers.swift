extension Repair {
    /// Drivers of the target's disks that the initramfs lacks.
    public static let drivers = Repair("drivers")
}

/// Copies of configuration in an initramfs, which hold while the guest boots whatever its own files say by then.
enum InitramfsCopies: PlanStep {
    static let repair = Repair.drivers

    static func contribute(to draft: inout PlanDraft) {
        for entry in draft.guest.defaultEntries {
            let hiding = CopiedFilterRule.problem(entry, draft)?.path
            // What hides the root has a verdict.
            let corrected = draft.drivers.overlay(for: entry)?.corrections ?? []
            for copy in draft.drivers.facts(of: entry).copies
            where copy.path != hiding && !corrected.contains(copy.path) {
                let line = entry.entry.commandLine
                if let argument = copy.argument, line.has(argument) { continue }
                if copy.argument == "resume", !line.has("noresume") { sayAbsent(copy, of: entry, &draft) }
                guard DeviceName(copy.name).isPositional, let name = nameOnTarget(copy.name, draft),
                    name != copy.name
                else { continue }
                draft.advise(
                    Advice(
                        repair: .drivers, path: copy.image,
                        message:
                            "\(copy.path) in the initramfs names \(copy.name), which is \(name) on \(draft.hypervisor.title): make it anew in the running guest"
                    ))
            }
        }
    }

    /// What scripts resume from they wait for, and go on. systemd heeds the kernel's own arguments alone.
    private static func sayAbsent(_ copy: InitramfsCopy, of entry: MenuEntry, _ draft: inout PlanDraft) {
        guard draft.drivers.facts(of: entry).startsWithSystemd != true, !draft.guest.hasContainers,
            case .unresolved(let reason) = draft.guest.resolver.resolve(DeviceName(copy.name)),
            reason.isAbsent
        else { return }
        draft.advise(
            Advice(
                repair: .drivers, path: copy.image,
                message:
                    "\(copy.path) in the initramfs names \(copy.name) to resume from, which is not on the given disks: it waits for that before it goes on; noresume among the kernel's arguments, or an initramfs made anew in the running guest, ends that"
            ))
    }

    private static func nameOnTarget(_ name: String, _ draft: PlanDraft) -> String? {
        switch draft.guest.resolver.resolve(DeviceName(name)) {
        case .volume(let volume): draft.targetName(ofVolume: volume)
        case .disk(let disk): draft.targetName(ofDisk: disk)
        default: nil
        }
    }
}

/// Which network card the new machine should have.
enum CardChoice: PlanStep {
    static let repair = Repair.drivers

    static func contribute(to draft: inout PlanDraft) {
        let cards = draft.drivers.cards
        guard let first = cards.first, case .noSuchDriver = first.state,
            let release = draft.drivers.cardsRelease
        else { return }
        let driven = cards.filter { $0.state == .present }.map(\.name)
        draft.advise(
            .drivers, nil,
            driven.isEmpty
                ? "kernel \(release) has no driver for any network card of \(draft.target.name) (\(cards.map(\.name).joined(separator: ", ")))"
                : "kernel \(release) has no driver for the network card \(first.name): give the new machine \(driven.joined(separator: " or "))"
        )
    }
}
