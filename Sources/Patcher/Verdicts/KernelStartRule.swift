/// Whether an entry's kernel can start on the target, whatever its names and drivers.
enum KernelStartRule: VerdictRule {
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        var findings: [VerdictFinding] = []
        if let reason = draft.startProblem(entry) {
            findings.append(VerdictFinding(reason, symptom: symptom(reason, entry)))
        }
        if entry.entry.isXenMultiboot { findings.append(VerdictFinding(.keepsXenEntry)) }
        return findings
    }

    /// What the loader says.
    private static func symptom(_ reason: VerdictReason, _ entry: MenuEntry) -> String? {
        switch reason {
        case .xenOnlyKernel: return "Error 13: Invalid or unsupported executable format"
        case .fileMissing(let path):
            switch entry.file.syntax {
            case is GRUBLegacy: return "Error 15: File not found"
            case is Syslinux: return "Could not find kernel image: \(path)"
            default: return "error: file `\(path)' not found."
            }
        default: return nil
        }
    }
}

extension PlanDraft {
    /// Why an entry cannot start on the target: its kernel is for another machine, or a file of it is not there.
    func startProblem(_ item: MenuEntry) -> VerdictReason? {
        kernelProblem(item.entry) ?? guest.bootFiles.missing[item.key].map { .fileMissing($0) }
    }

    /// Why an entry's kernel, when it is there, cannot start on the target.
    func kernelProblem(_ entry: BootEntry) -> VerdictReason? {
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
