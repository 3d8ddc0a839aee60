internal import Storage

/// A disk whose GPT is read from its end, because the one at its beginning is damaged, and that the guest's volumes lie on.
enum DamagedTableRule: GuestRule {
    static func judge(_ draft: PlanDraft) -> [VerdictFinding] {
        let guest = draft.guest
        let optional = Set(
            guest.files(Fstab.self).flatMap(\.syntax.rows).filter { $0.isNoauto || guest.isOptional($0) }
                .map(\.mountPoint))
        let awaited = guest.mounts.filter { !optional.contains($0.path) }
        let disk = awaited.lazy.compactMap { mount -> Int? in
            guard case .partition(let disk, _) = guest.volumes[mount.volume].location else { return nil }
            return guest.frame.damagedTables.contains(disk) ? disk : nil
        }.first
        // Physical volumes and members are partitions of it too, where something awaited lies on any.
        let hasLayers = awaited.contains { mount in
            if case .partition = guest.volumes[mount.volume].location { false } else { true }
        }
        let other =
            !hasLayers
            ? nil
            : guest.volumes.lazy.compactMap { volume -> Int? in
                guard case .partition(let disk, _) = volume.location,
                    guest.frame.damagedTables.contains(disk),
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
