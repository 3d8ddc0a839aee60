extension Planner {
    /// Kernel options that one hypervisor needs and another does not bear.
    mutating func repairKernelOptions() {
        let target = request.target.hypervisor
        let isHyperV = target == .hyperv || target == .azure
        for place in commandLines {
            for argument in place.line.arguments {
                let value = argument.valueRange.map { place.file.bytes.text($0) }
                if !isHyperV, isNoProbe(argument.name, value) {
                    removeArgument(
                        place, argument, .kernelOptions,
                        "Hyper-V's drivers needed the IDE disks hidden; elsewhere they are the disks")
                }
                if isHyperV, argument.name == "acpi", value == "off" || value == "0",
                    place.entry?.isRescue != true
                {
                    removeArgument(
                        place, argument, .kernelOptions,
                        "without ACPI there is no VMBus, and so no Hyper-V device")
                }
                if !isXen, argument.name == "xen_emul_unplug" {
                    removeArgument(place, argument, .kernelOptions, "it concerns Xen alone")
                }
            }
        }
        forceEmulatedDisks()
    }

    private var isXen: Bool { request.target.hypervisor.hasAliasedDiskNames }

    /// `hda=noprobe`, `ide0=noprobe`, `ide_core.noprobe=0.0`.
    private func isNoProbe(_ name: String, _ value: String?) -> Bool {
        if name == "ide_core.noprobe" { return true }
        guard value == "noprobe" else { return false }
        return name.hasPrefix("hd") && name.utf8.count == 3 || name.hasPrefix("ide") && name.utf8.count == 4
    }

    /// `--controller ide` on Hyper-V or Xen means the emulated disks, which newer kernels leave to the
    /// paravirtual drivers unless told otherwise.
    private mutating func forceEmulatedDisks() {
        guard request.controller == .ide else { return }
        for place in commandLines {
            guard place.entry.map({ startProblem($0) == nil && $0.kernel != nil }) ?? true else { continue }
            let version = place.entry?.kernelVersion
            if request.target.hypervisor == .hyperv, version.map({ !isVersion($0, below: [3, 5]) }) ?? false {
                addArgument(
                    place, "ata_piix.prefer_ms_hyperv=0", .kernelOptions,
                    "the IDE driver leaves Hyper-V's disks to hv_storvsc unless told to take them")
            }
            if isXen, version.map({ !isVersion($0, below: [2, 6, 36]) }) ?? false {
                addArgument(
                    place, "xen_emul_unplug=never", .kernelOptions,
                    "the emulated disks are unplugged for xen-blkfront unless told to stay")
            }
        }
    }
}
