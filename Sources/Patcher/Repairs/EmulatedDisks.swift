/// The controller `ide` on Hyper-V or Xen means the emulated disks, which newer kernels leave to the paravirtual drivers unless
/// told otherwise.
enum EmulatedDisks: PlanStep {
    static let repair = Repair.kernelOptions
    static let after: [any PlanStep.Type] = [HypervisorOptions.self]

    static func contribute(to draft: inout PlanDraft) {
        guard draft.request.controller == .ide else { return }
        for place in draft.guest.commandLines {
            guard place.entry.map({ draft.kernelProblem($0) == nil && $0.kernel != nil }) ?? true else {
                continue
            }
            let version = place.entry?.kernelVersion
            if draft.hypervisor == .hyperv, version.map({ !isVersion($0, below: [3, 5]) }) ?? false {
                draft.addArgument(
                    place, "ata_piix.prefer_ms_hyperv=0", .kernelOptions,
                    "the IDE driver leaves Hyper-V's disks to hv_storvsc unless told to take them")
            }
            if draft.hypervisor.hasAliasedDiskNames,
                version.map({ !isVersion($0, below: [2, 6, 36]) }) ?? false
            {
                draft.addArgument(
                    place, "xen_emul_unplug=never", .kernelOptions,
                    "the emulated disks are unplugged for xen-blkfront unless told to stay")
            }
        }
    }
}
