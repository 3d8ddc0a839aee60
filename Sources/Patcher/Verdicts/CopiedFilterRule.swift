internal import GuestTree
internal import Storage

/// Copies of LVM's and mdadm's configuration in the initramfs, which hold while it looks for the root: one that lets in none of
/// the names that the root's volumes have on the target.
enum CopiedFilterRule: VerdictRule {
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        guard let problem = problem(entry, draft) else { return [] }
        return [VerdictFinding(problem.reason, symptom: RootRule.symptom(entry.entry, draft.guest))]
    }

    /// What keeps the initramfs from the root, behind the draft's controller, and the copy that does.
    static func problem(
        _ entry: MenuEntry, _ draft: PlanDraft
    ) -> (path: String, reason: VerdictReason)? {
        let facts = draft.drivers.facts(of: entry)
        let root = draft.guest.volumes[draft.guest.rootVolume]
        let kinds = kinds(below: root)
        let ignoresDevices = facts.filters.contains {
            ($0.syntax as? LVMConfiguration)?.ignoresDevicesFile == true
        }
        for copy in facts.filters {
            if let devices = copy.syntax as? LVMDevicesFile {
                guard !ignoresDevices, !draft.volumesHidden(by: devices, below: root).isEmpty,
                    draft.drivers.overlay(for: entry)?.corrections.contains(copy.path) != true
                else { continue }
                return (copy.path, .hiddenByCopy(path: copy.path, image: copy.image, devices: []))
            }
            let (kind, accepts) = test(copy.syntax, isRootNamedByArray(entry))
            let names = draft.guest.volumes.indices.compactMap { index in
                draft.guest.volumes[index].identity.kind == kind ? draft.targetName(ofVolume: index) : nil
            }
            // Which of several belong to the root is not told.
            guard kinds.contains(kind), !names.isEmpty, !names.contains(where: accepts) else { continue }
            return (copy.path, .hiddenByCopy(path: copy.path, image: copy.image, devices: names))
        }
        return rootProblem(entry, facts.copies, draft)
    }

    /// What the overlay can have in place of the copy that keeps the initramfs from the root; nil where none does, or nothing
    /// helps.
    static func correction(of entry: MenuEntry, _ draft: PlanDraft) -> CorrectedCopy? {
        guard let path = problem(entry, draft)?.path else { return nil }
        return draft.drivers.facts(of: entry).filters.first { $0.path == path }?
            .corrected(for: draft.guest.volumes[draft.guest.rootVolume], draft)
    }

    /// `root=` that stands in the initramfs alone (dracut's cmdline.d).
    private static func rootProblem(
        _ item: MenuEntry, _ copies: [InitramfsCopy], _ draft: PlanDraft
    ) -> (path: String, reason: VerdictReason)? {
        let isNamed =
            item.entry.commandLine.has("root") || item.takesSharedArguments
            || item.entry.variableArguments.contains { $0.name == "root" }
        guard !isNamed, let copy = copies.last(where: { $0.argument == "root" }) else { return nil }
        switch draft.guest.resolver.resolve(DeviceName(copy.name)) {
        case .unresolved(let reason): return (copy.path, .rootUnresolved(copy.name, reason))
        case .volume(let volume):
            guard DeviceName(copy.name).isPositional, let name = draft.targetName(ofVolume: volume),
                name != copy.name
            else { return nil }
            return (copy.path, .rootUnresolved(copy.name, .renamed(to: name)))
        case .disk, .notADisk, .stable: return nil
        }
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
            return (.lvm2, { name in lvm.filters.allSatisfy { $0.accepts(name) || $0.acceptsLinks } })
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

extension LVMConfiguration.Filter {
    /// It lets in links of udev's, of which the target's are not told.
    fileprivate var acceptsLinks: Bool {
        patterns.contains { $0.accepts && $0.expression.contains("disk/by-") }
    }
}
