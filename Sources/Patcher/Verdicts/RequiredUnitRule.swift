internal import GuestTree
internal import Storage

/// Mount units that local-fs.target requires, and whose volume will not be found: systemd ends in its emergency shell.
enum RequiredUnitRule: GuestRule, RefusalRule {
    static func judge(_ draft: PlanDraft) -> [VerdictFinding] {
        findings(draft).map {
            VerdictFinding(
                $0, symptom: "Dependency failed for Local File Systems. / You are in emergency mode")
        }
    }

    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? {
        findings(draft).first { $0.severity == .stops }
    }

    private static func findings(_ draft: PlanDraft) -> [VerdictReason] {
        let units = draft.guest.files(SystemdMount.self)
        let missing = MissingPlaces(draft)
        // What a drop-in says comes in the place of the unit's own word.
        let overridden = Set(
            units.filter { $0.syntax.isDropIn && $0.syntax.device != nil }.map(\.syntax.name))
        return units.compactMap { unit in
            guard unit.syntax.isRequired, !overridden.contains(unit.syntax.name),
                let device = unit.syntax.device,
                let reference = draft.guest.reference(in: unit.file, at: device.range.lowerBound)
            else { return nil }
            let path = unit.file.file.displayPath
            if let name = draft.newName(of: reference) {
                return .unitStopsBoot(path: path, device.text, .renamed(to: name))
            }
            guard let reason = reference.unresolved else {
                return unit.syntax.mountPoint.flatMap(missing.place(belowMountPoint:)).map {
                    .unitStopsBoot(path: path, device.text, .belowMissing(place: $0))
                }
            }
            if reason.isNumbered { return .numberedDevice(place: path, reason) }
            guard reason.mayBeMissing || !reference.isStable else { return nil }
            return .unitStopsBoot(path: path, device.text, reason)
        }
    }
}
