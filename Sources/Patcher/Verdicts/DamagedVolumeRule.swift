internal import Storage

/// A row of the fstab that the boot waits for, whose volume is damaged: Linux may mend it, pass over it, or stop.
enum DamagedVolumeRule: VerdictRule {
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        let guest = draft.guest
        for file in guest.files(Fstab.self) {
            for row in file.syntax.rows
            where row.mountPoint.hasPrefix("/") && !row.isNoauto && !row.isNofail {
                guard let reference = guest.reference(in: file.file, at: row.specRange.lowerBound),
                    case .volume(let volume) = reference.resolution,
                    let why = guest.frame.damagedVolumes[volume]
                else { continue }
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
