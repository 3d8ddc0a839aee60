internal import Storage

/// Rows of the fstab that the boot waits for, and whose volume will not be found: systemd ends in its emergency shell, older
/// init scripts at the check of the file systems.
enum NeededRowRule: GuestRule, RefusalRule {
    static func judge(_ draft: PlanDraft) -> [VerdictFinding] {
        problem(draft).map { [VerdictFinding($0, symptom: symptom)] } ?? []
    }

    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? { problem(draft) }

    private static let symptom = "You are in emergency mode. / Give root password for maintenance"

    private static func problem(_ draft: PlanDraft) -> VerdictReason? {
        for file in draft.guest.files(Fstab.self) {
            for row in file.syntax.rows
            where DeadRows.isNeeded(row, draft.guest) || isWaitedFor(row, draft.guest) {
                guard let reference = draft.guest.reference(in: file.file, at: row.specRange.lowerBound)
                else {
                    continue
                }
                if let name = draft.newName(of: reference) {
                    return .rowStopsBoot(mountPoint: row.mountPoint, row.spec, .renamed(to: name))
                }
                guard let reason = reference.unresolved, reason.mayBeMissing || !reference.isStable else {
                    continue
                }
                return .rowStopsBoot(mountPoint: row.mountPoint, row.spec, reason)
            }
        }
        return nil
    }

    /// systemd takes a row as it stands, and no option can be put into one whose fields are displaced.
    private static func isWaitedFor(_ row: Fstab.Row, _ guest: LinuxSystem) -> Bool {
        row.isDisplaced && guest.startsWithSystemd && !row.isNoauto && !row.isNofail
            && row.mountPoint.hasPrefix("/")
    }
}
