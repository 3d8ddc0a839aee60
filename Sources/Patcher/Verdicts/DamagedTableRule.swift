internal import Storage

/// A disk whose GPT is read from its end, because the one at its beginning is damaged, and that the guest's volumes lie on.
enum DamagedTableRule: VerdictRule {
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        let guest = draft.guest
        let disk = guest.mounts.lazy.compactMap { mount -> Int? in
            guard case .partition(let disk, _) = guest.volumes[mount.volume].location else { return nil }
            return guest.frame.damagedTables.contains(disk) ? disk : nil
        }.first
        // Physical volumes and members are partitions of it too.
        let other = guest.volumes.lazy.compactMap { volume -> Int? in
            guard case .partition(let disk, _) = volume.location, guest.frame.damagedTables.contains(disk),
                [.lvm2, .mdRAID, .luks].contains(volume.identity.kind)
            else { return nil }
            return disk
        }.first
        guard let disk = disk ?? other else { return [] }
        return [
            VerdictFinding(guest.firmware.isUEFIOnly ? .tableMended(disk: disk) : .tableDamaged(disk: disk))
        ]
    }
}
