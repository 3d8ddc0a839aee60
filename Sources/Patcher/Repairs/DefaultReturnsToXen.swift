/// Back on Xen: a default that cannot drive Xen's disks gives way to the newest kernel that was built for Xen.
enum DefaultReturnsToXen: PlanStep {
    static let repair = Repair.defaultEntry
    static let after: [any PlanStep.Type] = [DefaultCanStart.self]

    static func contribute(to draft: inout PlanDraft) {
        for item in draft.guest.defaultEntries where lacksXenDisk(item.entry, draft) {
            let others = draft.guest.bootEntries.filter { other in
                draft.isXenOnly(other.entry) && !other.entry.isXenMultiboot && other.key.file == item.key.file
                    && draft.startProblem(other) == nil
            }
            guard let best = others.best,
                draft.moveDefault(
                    item, to: best,
                    "“\(item.entry.title)” has no driver for Xen's disks; the kernel of “\(best.entry.title)” is built for Xen"
                )
            else { continue }
            for settings in draft.guest.files(SysconfigKernel.self) {
                guard let value = settings.syntax.variables.last("DEFAULTKERNEL"), value.text == "kernel"
                else {
                    continue
                }
                draft.edit(
                    settings.file, value.valueRange, "kernel-xen", .defaultEntry,
                    "the next kernel update would make a kernel without Xen's disks the default again")
            }
        }
    }

    /// Whether a kernel for bare machines cannot drive Xen's disks: a 2.6.36 could first, unless it was given the
    /// drivers (RHEL 5's CONFIG_XEN_PV_ON_HVM).
    private static func lacksXenDisk(_ entry: BootEntry, _ draft: PlanDraft) -> Bool {
        guard draft.bootsParavirtualized, !draft.isXenOnly(entry), !entry.isXenMultiboot else { return false }
        if let options = draft.guest.inspection.kernel(entry.kernelRelease)?.options, !options.isEmpty {
            return options["CONFIG_XEN_BLKDEV_FRONTEND"] == nil && options["CONFIG_XEN_PV_ON_HVM"] == nil
        }
        return entry.kernelVersion.map { isVersion($0, below: [2, 6, 36]) } ?? false
    }
}
