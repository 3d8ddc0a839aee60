internal import GuestTree
internal import Storage

/// LVM's devices file, as it will be, has no row by which LVM looks at a physical volume of a logical volume that a row of the
/// fstab mounts and the boot waits for. The root itself is found by the initramfs, which has its own copy or none.
enum LVMDevicesRule: GuestRule {
    static func judge(_ draft: PlanDraft) -> [VerdictFinding] {
        let guest = draft.guest
        for fstab in guest.files(Fstab.self) {
            for row in fstab.syntax.rows
            where DeadRows.isNeeded(row, guest) && !["/", "/usr"].contains(row.mountPoint) {
                guard let reference = guest.reference(in: fstab.file, at: row.specRange.lowerBound),
                    case .volume(let volume) = reference.resolution,
                    let (path, hidden) = draft.devicesFile(hiding: guest.volumes[volume])
                else { continue }
                return [
                    VerdictFinding(
                        .hiddenByDevicesFile(mountPoint: row.mountPoint, path: path, volumes: hidden),
                        symptom: "You are in emergency mode. / Give root password for maintenance")
                ]
            }
        }
        return []
    }
}

extension PlanDraft {
    /// The disks' identifiers hold on the hypervisor that made them.
    var keepsHardwareNames: Bool { guest.resolver.presentation.hypervisor == hypervisor }

    /// The devices file, as it will be, that hides physical volumes of a logical volume's group, and these; nil where none does.
    func devicesFile(hiding volume: Volume) -> (path: String, volumes: [String])? {
        guard !guest.files(LVMConfiguration.self).contains(where: { $0.syntax.ignoresDevicesFile }) else {
            return nil
        }
        for file in guest.files(LVMDevicesFile.self) {
            let later = files[file.file.file.key].map { LVMDevicesFile($0.result, path: "") } ?? file.syntax
            let hidden = volumesHidden(by: later, below: volume)
            if !hidden.isEmpty { return (file.file.file.displayPath, hidden) }
        }
        return nil
    }

    /// The physical volumes of a logical volume's group that a devices file hides on the target. A file without rows hides nothing
    /// here: the guest boots with it.
    func volumesHidden(by devices: LVMDevicesFile, below volume: Volume) -> [String] {
        guard case .logicalVolume = volume.location, !devices.rows.isEmpty else { return [] }
        return volume.groupMembers.compactMap { id in
            let pvid = id.filter { $0 != "-" }
            guard case .volume(let member) = guest.resolver.resolve(physicalVolume: pvid) else { return nil }
            let others = guest.volumes.indices.compactMap { $0 == member ? nil : targetName(ofVolume: $0) }
            let isFound = devices.finds(
                pvid, at: targetName(ofVolume: member), amid: Set(others), keepsHardware: keepsHardwareNames)
            return isFound ? nil : guest.volumes[member].name
        }
    }
}
