/// Whether the kernel finds its disks: the drivers of the controller are built in, in the initramfs, or added to it.
enum DriversRule: VerdictRule {
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        // What cannot start needs no drivers.
        guard draft.startProblem(entry) == nil else { return [] }
        var findings: [VerdictFinding] = []
        if let damage = draft.drivers.facts(of: entry).damage {
            guard damage.stopsBoot else {
                findings.append(VerdictFinding(.initramfsEndsEarly(damage)))
                return findings + judgeDrivers(entry, draft)
            }
            let others = draft.guest.bootEntries.filter { other in
                other.isOfSameMenu(as: entry) && draft.startProblem(other) == nil
                    && draft.drivers.facts(of: other).isSound
            }
            findings.append(
                VerdictFinding(
                    .initramfsDamaged(damage, sound: others.best?.entry.title),
                    symptom: RootRule.symptom(entry.entry, draft.guest)))
            return findings
        }
        return judgeDrivers(entry, draft)
    }

    private static func judgeDrivers(_ entry: MenuEntry, _ draft: PlanDraft) -> [VerdictFinding] {
        let reason: VerdictReason
        switch draft.drivers(of: entry) {
        case .notChecked, .present, .added, .unreadable: return []
        case .needsArgument(let argument): reason = .needsArgument(argument, draft.controller)
        case .missing(let names, let why): reason = .driversMissing(names, draft.controller, why)
        case .forbidden(let name, let by): reason = .driverForbidden(name, by: by, draft.controller)
        case .noSuchDriver(let what, let release):
            reason = .noSuchDriver(what, release: release, draft.controller)
        }
        return [VerdictFinding(reason, symptom: RootRule.symptom(entry.entry, draft.guest))]
    }
}

extension StartFacts {
    /// The initramfs was read to its end, and nothing is wrong with it.
    fileprivate var isSound: Bool {
        guard case .read = image else { return false }
        return damage == nil
    }
}
