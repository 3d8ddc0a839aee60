internal import Storage

extension Repair {
    /// LVM's device filter and devices file.
    public static let lvm = Repair("lvm")
}

/// LVM finds its volumes by their own labels, unless a filter keeps it from looking.
enum LVMFilters: PlanStep {
    static let repair = Repair.lvm
    static let reads: [any ConfigurationSyntax.Type] = [LVMConfiguration.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(LVMConfiguration.self) {
            for filter in file.syntax.filters { repair(file.file, filter, &draft) }
        }
    }

    private static func repair(
        _ file: ScannedFile, _ filter: LVMConfiguration.Filter, _ draft: inout PlanDraft
    ) {
        // Only what holds physical volumes: a filter may hide other disks on purpose.
        let hidden = draft.guest.volumes.indices.compactMap { index -> String? in
            guard draft.guest.volumes[index].identity.kind == .lvm2,
                let name = draft.targetName(ofVolume: index), !filter.accepts(name)
            else { return nil }
            return name
        }
        guard let first = hidden.first else { return }
        let prefix = diskPrefix(first)
        let pattern = "\"a|^\(prefix)|\""
        guard filter.isList else {
            draft.advise(
                .lvm, file,
                "\(filter.name) does not let \(prefix)* in; it is not a list, so it is not changed")
            return
        }
        let reason = "the filter would hide \(prefix)*, the disks behind \(draft.controller.rawValue)"
        // What an initramfs holds that was read is judged.
        let isUnread = draft.guest.defaultEntries.contains { entry in
            if case .read = draft.drivers.facts(of: entry).image { false } else { true }
        }
        if draft.edit(file, filter.insertionPoint..<filter.insertionPoint, pattern + ", ", .lvm, reason),
            isUnread
        {
            draft.advise(
                .lvm, file,
                "an initramfs may hold a copy of the old filter of lvm.conf: if the root is on LVM, make it anew after the first boot, or boot with the rescue entry"
            )
        }
    }

    /// "/dev/vd" of "/dev/vda1".
    private static func diskPrefix(_ name: String) -> String {
        if name.hasPrefix("/dev/nvme") { return "/dev/nvme" }
        return name.hasPrefix("/dev/xvd") ? "/dev/xvd" : String(name.prefix(7))
    }
}
