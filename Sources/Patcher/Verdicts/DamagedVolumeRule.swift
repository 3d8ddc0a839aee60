internal import Storage

/// A row of the fstab that the boot waits for, whose volume is damaged (Linux may mend it, pass over it, or stop), or belongs to
/// a volume group that is not whole (some systems activate what they can of it, some nothing).
enum DamagedVolumeRule: GuestRule {
    static func judge(_ draft: PlanDraft) -> [VerdictFinding] {
        let guest = draft.guest
        for file in guest.files(Fstab.self) {
            for row in file.syntax.rows
            where row.mountPoint.hasPrefix("/") && !row.isNoauto && !guest.isOptional(row) {
                guard let reference = guest.reference(in: file.file, at: row.specRange.lowerBound),
                    case .volume(let volume) = reference.resolution
                else { continue }
                if let group = guest.volumes[volume].incompleteGroup {
                    return [VerdictFinding(.groupIncomplete(mountPoint: row.mountPoint, group))]
                }
                guard let why = guest.frame.damagedVolumes[volume] else { continue }
                return [
                    VerdictFinding(
                        .volumeDamaged(
                            mountPoint: row.mountPoint, volume: guest.volumes[volume].name, why: why))
                ]
            }
        }
        return []
    }
}
