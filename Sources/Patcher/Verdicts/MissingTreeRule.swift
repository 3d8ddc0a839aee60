internal import GuestTree
internal import Storage

/// Trees that most of the system needs, and whose volume is not there: by a row that lets the boot go on without them, or a mount unit
/// that a target wants only. What lies below the mount point is not what the system has worked with.
enum MissingTreeRule: GuestRule {
    static func judge(_ draft: PlanDraft) -> [VerdictFinding] {
        let missing = MissingPlaces(draft)
        let rows = draft.guest.files(Fstab.self).flatMap { file in
            file.syntax.rows.filter { draft.guest.isOptional($0) && !$0.isNoauto && isTree($0.mountPoint) }
                .compactMap { row in
                    finding(row.mountPoint, row.spec, file.file, row.specRange, draft)
                        ?? missing.place(below: row).map {
                            .treeMissing(place: row.mountPoint, row.spec, .belowMissing(place: $0))
                        }
                }
        }
        let units = draft.guest.files(SystemdMount.self).compactMap { unit -> VerdictReason? in
            guard !unit.syntax.isRequired, let place = unit.syntax.mountPoint, isTree(place),
                let device = unit.syntax.device
            else { return nil }
            return finding(place, device.text, unit.file, device.range, draft)
        }
        return (rows + units).map { VerdictFinding($0, symptom: symptom($0)) }
    }

    /// Without what lies at these places a loader's next installation fails, and nothing else.
    private static let ofLoaders: Set<String> = ["/", "/boot", "/boot/efi", "/efi"]

    private static func isTree(_ place: String) -> Bool {
        DeadRows.needed.contains(place) && !ofLoaders.contains(place)
    }

    private static func finding(
        _ place: String, _ name: String, _ file: ScannedFile, _ range: Range<Int>, _ draft: PlanDraft
    ) -> VerdictReason? {
        guard let reference = draft.guest.reference(in: file, at: range.lowerBound) else { return nil }
        if let other = draft.newName(of: reference) {
            return .treeMissing(place: place, name, .renamed(to: other))
        }
        guard let reason = reference.unresolved else { return nil }
        if reason.isNumbered { return .numberedDevice(place: place, reason) }
        guard reason.mayBeMissing || !reference.isStable else { return nil }
        return .treeMissing(place: place, name, reason)
    }

    private static func symptom(_ reason: VerdictReason) -> String? {
        guard case .treeMissing(let place, _, _) = reason else { return nil }
        return "Dependency failed for \(place)."
    }
}
