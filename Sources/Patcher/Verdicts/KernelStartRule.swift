/// Whether an entry's kernel can start on the target, whatever its names and drivers.
enum KernelStartRule: VerdictRule {
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        var findings: [VerdictFinding] = []
        if let reason = draft.startProblem(entry.entry) {
            let symptom =
                entry.entry.isXenMultiboot ? nil : "Error 13: Invalid or unsupported executable format"
            findings.append(VerdictFinding(reason, symptom: symptom))
        }
        if entry.entry.isXenMultiboot { findings.append(VerdictFinding(.keepsXenEntry)) }
        return findings
    }
}

extension PlanDraft {
    /// Why an entry's kernel cannot start on the target.
    func startProblem(_ entry: BootEntry) -> VerdictReason? {
        if entry.isXenMultiboot { return .bootsXen(on: hypervisor) }
        return isXenOnly(entry) && !bootsParavirtualized ? .xenOnlyKernel(on: hypervisor) : nil
    }

    /// The guest's kernel may be one that Xen starts itself. With emulated disks it runs on emulated firmware.
    var bootsParavirtualized: Bool { hypervisor == .xenserver && controller == .xenBlkfront }

    /// Built for Xen's own interface alone.
    func isXenOnly(_ entry: BootEntry) -> Bool {
        let options = guest.inspection.kernel(entry.kernelRelease)?.options ?? [:]
        return options.isEmpty
            ? entry.looksXenOnly : options["CONFIG_X86_XEN"] == "y" || options["CONFIG_X86_64_XEN"] == "y"
    }
}
