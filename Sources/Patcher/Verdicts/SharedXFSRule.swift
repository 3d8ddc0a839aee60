internal import Storage

/// Two rows that mount a file system each (XFS), of one UUID: a copy of a disk beside it. Linux refuses the second.
enum SharedXFSRule: GuestRule {
    static func judge(_ draft: PlanDraft) -> [VerdictFinding] {
        let guest = draft.guest
        var mounted = [guest.rootVolume]
        for file in guest.files(Fstab.self) {
            for row in file.syntax.rows
            where row.mountPoint.hasPrefix("/") && row.mountPoint != "/" && !row.isNoauto
                && !guest.isOptional(row)
            {
                guard let reference = guest.reference(in: file.file, at: row.specRange.lowerBound),
                    case .volume(let volume) = reference.resolution,
                    let option = LinuxFileSystem.of(guest.volumes[volume].identity.kind)?.optionForTwins,
                    !row.options.contains(option)
                else { continue }
                let uuid = guest.volumes[volume].identity.uuid
                let other = mounted.first { $0 != volume && guest.volumes[$0].identity.uuid == uuid }
                if let other, uuid != nil {
                    let names = [other, volume].map { guest.volumes[$0].name }
                    return [VerdictFinding(.sharedXFS(mountPoint: row.mountPoint, volumes: names))]
                }
                if !mounted.contains(volume) { mounted.append(volume) }
            }
        }
        return []
    }
}
