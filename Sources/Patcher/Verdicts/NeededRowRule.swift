internal import Storage

/// Rows of the fstab that the boot waits for, and whose volume will not be found: systemd ends in its emergency shell, older
/// init scripts at the check of the file systems.
enum NeededRowRule: GuestRule, RefusalRule {
    static func judge(_ draft: PlanDraft) -> [VerdictFinding] {
        findings(draft).map { VerdictFinding($0, symptom: symptom) }
    }

    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? {
        findings(draft).first { $0.severity == .stops }
    }

    private static let symptom = "You are in emergency mode. / Give root password for maintenance"

    private static func findings(_ draft: PlanDraft) -> [VerdictReason] {
        let missing = MissingPlaces(draft)
        return draft.guest.files(Fstab.self).flatMap { file in
            file.syntax.rows.compactMap { row in
                guard DeadRows.isNeeded(row, draft.guest) || isWaitedFor(row, draft.guest) else { return nil }
                return problem(file.file, row, draft)
                    ?? missing.place(below: row).map {
                        .rowStopsBoot(mountPoint: row.mountPoint, row.spec, .belowMissing(place: $0))
                    }
            }
        }
    }

    private static func problem(_ file: ScannedFile, _ row: Fstab.Row, _ draft: PlanDraft) -> VerdictReason? {
        guard let reference = draft.guest.reference(in: file, at: row.specRange.lowerBound) else {
            return nil
        }
        if let name = draft.newName(of: reference) {
            return .rowStopsBoot(mountPoint: row.mountPoint, row.spec, .renamed(to: name))
        }
        guard let reason = reference.unresolved else { return nil }
        if reason.isNumbered { return .numberedDevice(place: row.mountPoint, reason) }
        guard reason.mayBeMissing || !reference.isStable else { return nil }
        return .rowStopsBoot(mountPoint: row.mountPoint, row.spec, reason)
    }

    /// systemd takes a row as it stands, and no option can be put into one whose fields are displaced.
    private static func isWaitedFor(_ row: Fstab.Row, _ guest: LinuxSystem) -> Bool {
        row.isDisplaced && guest.startsWithSystemd && !row.isNoauto && !row.isNofail
            && row.mountPoint.hasPrefix("/")
    }
}
