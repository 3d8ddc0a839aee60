/// The controller ide on Hyper-V or Xen, where it is asked for or its driver alone is there, means the emulated disks, which newer kernels leave to the paravirtual drivers unless
/// told otherwise.
enum EmulatedDisks: PlanStep {
    static let repair = Repair.kernelOptions
    static let after: [any PlanStep.Type] = [HypervisorOptions.self]

    static let hypervArgument = "ata_piix.prefer_ms_hyperv=0"
    static let xenArgument = "xen_emul_unplug=never"

    static func contribute(to draft: inout PlanDraft) {
        guard draft.addsEmulationArgument, !paravirtualAlone(draft) else { return }
        var added: [(text: String, reason: String)] = []
        for place in draft.guest.commandLines {
            guard place.entry.map({ draft.kernelProblem($0) == nil && $0.kernel != nil }) ?? true else {
                continue
            }
            let version = place.entry?.kernelVersion
            let known = place.entry.flatMap { entry in
                draft.drivers.facts(of: MenuEntry(file: place.file, entry: entry)).controllers[.ide]?.argument
            }
            let leavesDisks = version.map { !isVersion($0, below: [3, 5]) } ?? false
            var wanted: (text: String, reason: String)?
            if draft.hypervisor == .hyperv, leavesDisks || known == hypervArgument {
                wanted = (
                    hypervArgument,
                    "the IDE driver leaves Hyper-V's disks to hv_storvsc unless told to take them"
                )
            }
            if draft.hypervisor.hasAliasedDiskNames,
                version.map({ !isVersion($0, below: [2, 6, 36]) }) ?? false
            {
                wanted = (
                    xenArgument, "the emulated disks are unplugged for xen-blkfront unless told to stay"
                )
            }
            guard let wanted else { continue }
            draft.addArgument(place, wanted.text, .kernelOptions, wanted.reason)
            if !added.contains(where: { $0 == wanted }) { added.append(wanted) }
        }
        // The next menu is made of other files, and has it too.
        for argument in added { draft.addPermanentArgument(argument.text, .kernelOptions, argument.reason) }
    }

    /// The initramfs is known to have the paravirtual driver, and the emulated disks' not.
    private static func paravirtualAlone(_ draft: PlanDraft) -> Bool {
        draft.guest.defaultEntries.contains { entry in
            let ide = draft.drivers.facts(of: entry).controllers[.ide]
            return ide?.state == .present && ide?.argument == nil
                && draft.hypervisor == .hyperv
                && entry.entry.kernelVersion.map { !isVersion($0, below: [3, 5]) } == true
        }
    }
}
