internal import GuestTree
internal import Storage

/// Copies of LVM's and mdadm's configuration in the initramfs, which hold while it looks for the root: one that lets in none of
/// the names that the root's volumes have on the target.
enum CopiedFilterRule: VerdictRule {
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        let root = draft.guest.volumes[draft.guest.rootVolume]
        let kinds = kinds(below: root)
        for copy in draft.drivers.facts(of: entry).filters {
            let (kind, accepts) = test(copy.syntax, isRootNamedByArray(entry))
            let names = draft.guest.volumes.indices.compactMap { index in
                draft.guest.volumes[index].identity.kind == kind ? draft.targetName(ofVolume: index) : nil
            }
            // Which of several belong to the root is not told.
            guard kinds.contains(kind), !names.isEmpty, !names.contains(where: accepts) else { continue }
            return [
                VerdictFinding(
                    .hiddenByCopy(path: copy.path, image: copy.image, devices: names),
                    symptom: RootRule.symptom(entry.entry, draft.guest))
            ]
        }
        return []
    }

    /// What the root is put together from.
    private static func kinds(below root: Volume) -> Set<VolumeIdentity.Kind> {
        var kinds: Set<VolumeIdentity.Kind> = []
        if case .logicalVolume = root.location { kinds.insert(.lvm2) }
        if case .array = root.location { kinds.insert(.mdRAID) }
        if root.layers.contains(where: { if case .array = $0 { true } else { false } }) {
            kinds.insert(.mdRAID)
        }
        return kinds
    }

    private static func test(
        _ syntax: any ConfigurationSyntax, _ isNamed: Bool
    ) -> (kind: VolumeIdentity.Kind, accepts: (String) -> Bool) {
        if let lvm = syntax as? LVMConfiguration {
            return (.lvm2, { name in lvm.filters.allSatisfy { $0.accepts(name) } })
        }
        guard let arrays = syntax as? MDConfiguration else { return (.unknown, { _ in true }) }
        return (.mdRAID, { arrays.looks(at: $0) && (!isNamed || arrays.makesNamedArrays(of: $0)) })
    }

    /// `root=/dev/md0`: an array that no row describes is put together under another name.
    private static func isRootNamedByArray(_ item: MenuEntry) -> Bool {
        guard let range = item.entry.commandLine.last("root")?.valueRange else { return false }
        return item.file.bytes.text(range).hasPrefix("/dev/md")
    }
}
