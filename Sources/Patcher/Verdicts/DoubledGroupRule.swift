internal import Storage

/// The root, or what a row mounts that the boot waits for, in a volume group of which a copy was given too: LVM activates
/// nothing of a group that it sees twice, and before 2016 it took one of the two.
enum DoubledGroupRule: VerdictRule {
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        let guest = draft.guest
        func found(_ mountPoint: String, _ volume: Int) -> [VerdictFinding]? {
            guest.volumes[volume].doubledGroup.map {
                [VerdictFinding(.groupDoubled(mountPoint: mountPoint, $0))]
            }
        }
        if let found = found("/", guest.rootVolume) { return found }
        for file in guest.files(Fstab.self) {
            for row in file.syntax.rows
            where row.mountPoint.hasPrefix("/") && !row.isNoauto && !guest.isOptional(row) {
                guard let reference = guest.reference(in: file.file, at: row.specRange.lowerBound),
                    case .volume(let volume) = reference.resolution,
                    let found = found(row.mountPoint, volume)
                else { continue }
                return found
            }
        }
        return []
    }
}
