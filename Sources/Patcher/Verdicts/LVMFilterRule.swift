internal import GuestTree
internal import Storage

/// A filter of LVM's that stays, and hides every physical volume of a guest whose root is a logical volume.
enum LVMFilterRule: GuestRule {
    static func judge(_ draft: PlanDraft) -> [VerdictFinding] {
        guard case .logicalVolume(let group, _) = draft.guest.volumes[draft.guest.rootVolume].location else {
            return []
        }
        let names = draft.guest.volumes.indices.compactMap { index in
            draft.guest.volumes[index].identity.kind == .lvm2 ? draft.targetName(ofVolume: index) : nil
        }
        // Which of several holds the root's group is not told.
        guard !names.isEmpty else { return [] }
        for file in draft.guest.files(LVMConfiguration.self) {
            let later = draft.files[file.file.file.key].map { LVMConfiguration($0.result) } ?? file.syntax
            for filter in later.filters where !names.contains(where: filter.accepts) {
                return [
                    VerdictFinding(
                        .hiddenByFilter(filter.name, path: file.file.file.displayPath, devices: names),
                        symptom: "Volume group \"\(group)\" not found / Gave up waiting for root")
                ]
            }
        }
        return []
    }
}
