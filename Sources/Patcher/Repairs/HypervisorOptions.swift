extension Repair {
    /// Kernel options that the source's hypervisor needed and the target's does not bear.
    public static let kernelOptions = Repair("kernel-options")
}

/// Kernel options that one hypervisor needs and another does not bear.
enum HypervisorOptions: PlanStep {
    static let repair = Repair.kernelOptions
    static let after: [any PlanStep.Type] = [DeviceNames.self, KernelConsoles.self]

    static func contribute(to draft: inout PlanDraft) {
        let isHyperV = draft.hypervisor == .hyperv || draft.hypervisor == .azure
        for place in draft.guest.commandLines {
            for argument in place.line.arguments {
                let value = argument.valueRange.map { place.file.bytes.text($0) }
                if !draft.keepsIntegrationComponents, isNoProbe(argument.name, value) {
                    draft.removeArgument(
                        place, argument, .kernelOptions,
                        "Hyper-V's drivers needed the IDE disks hidden; here they are the disks")
                }
                if isHyperV, argument.name == "acpi", value == "off" || value == "0",
                    place.entry?.isRescue != true
                {
                    draft.removeArgument(
                        place, argument, .kernelOptions,
                        "without ACPI there is no VMBus, and so no Hyper-V device")
                }
                if !draft.hypervisor.hasAliasedDiskNames, argument.name == "xen_emul_unplug" {
                    draft.removeArgument(place, argument, .kernelOptions, "it concerns Xen alone")
                }
            }
        }
    }

    /// `hda=noprobe`, `ide0=noprobe`, `ide_core.noprobe=0.0`.
    private static func isNoProbe(_ name: String, _ value: String?) -> Bool {
        if name == "ide_core.noprobe" { return true }
        guard value == "noprobe" else { return false }
        return name.hasPrefix("hd") && name.utf8.count == 3 || name.hasPrefix("ide") && name.utf8.count == 4
    }
}
