internal import GuestTree
internal import Storage

/// LVM's devices file, as it will be, has no row by which LVM looks at a physical volume of a logical volume that a row of the
/// fstab mounts and the boot waits for. The root itself is found by the initramfs, which has its own copy or none.
enum LVMDevicesRule: GuestRule {
    static func judge(_ draft: PlanDraft) -> [VerdictFinding] {
        let guest = draft.guest
        guard !guest.files(LVMConfiguration.self).contains(where: { $0.syntax.ignoresDevicesFile }) else {
            return []
        }
        for file in guest.files(LVMDevicesFile.self) {
            let later =
                draft.files[file.file.file.key].map { LVMDevicesFile($0.result, path: "") } ?? file.syntax
            for fstab in guest.files(Fstab.self) {
                for row in fstab.syntax.rows
                where DeadRows.isNeeded(row, guest) && !["/", "/usr"].contains(row.mountPoint) {
                    guard let reference = guest.reference(in: fstab.file, at: row.specRange.lowerBound),
                        case .volume(let volume) = reference.resolution
                    else { continue }
                    let hidden = draft.volumesHidden(by: later, below: guest.volumes[volume])
                    guard !hidden.isEmpty else { continue }
                    return [
                        VerdictFinding(
                            .hiddenByDevicesFile(
                                mountPoint: row.mountPoint, path: file.file.file.displayPath,
                                volumes: hidden),
                            symptom: "You are in emergency mode. / Give root password for maintenance")
                    ]
                }
            }
        }
        return []
    }
}

extension PlanDraft {
    /// The disks' identifiers hold on the hypervisor that made them.
    var keepsHardwareNames: Bool { guest.resolver.presentation.hypervisor == hypervisor }

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
