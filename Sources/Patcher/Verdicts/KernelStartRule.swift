/// Whether an entry's kernel can start on the target, whatever its names and drivers.
enum KernelStartRule: VerdictRule {
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        var findings: [VerdictFinding] = []
        if let reason = draft.startProblem(entry) {
            findings.append(VerdictFinding(reason, symptom: symptom(reason, entry)))
        }
        if let doubt = draft.startDoubt(entry) { findings.append(VerdictFinding(doubt)) }
        if entry.entry.isXenMultiboot { findings.append(VerdictFinding(.keepsXenEntry)) }
        return findings
    }

    /// What the loader says.
    private static func symptom(_ reason: VerdictReason, _ entry: MenuEntry) -> String? {
        switch reason {
        case .xenOnlyKernel: return "Error 13: Invalid or unsupported executable format"
        case .loaderDeviceMissing(let name, let problem):
            return entry.file.menuType?.complaint(of: problem, name)
        case .fileMissing(let path), .fileElsewhere(let path, _):
            return entry.file.menuType?.complaint(ofMissing: path)
        default: return nil
        }
    }
}

extension PlanDraft {
    /// Why an entry cannot start on the target: its kernel is for another machine, or a file of it is not there.
    func startProblem(_ item: MenuEntry) -> VerdictReason? {
        if let problem = kernelProblem(item.entry) { return problem }
        let files = guest.bootFiles
        // pygrub reads what lies beside the menu.
        if !bootsParavirtualized, let device = files.missingDevices[item.key],
            !device.problem.isDoubt(behind: controller)
        {
            return .loaderDeviceMissing(name: device.name, device.problem)
        }
        if let path = files.missing[item.key] { return .fileMissing(path) }
        return bootsParavirtualized
            ? nil : files.misplaced[item.key].map { .fileElsewhere($0.path, volume: $0.volume) }
    }

    /// Why nobody knows whether an entry can start there.
    func startDoubt(_ item: MenuEntry) -> VerdictReason? {
        guard !bootsParavirtualized, let device = guest.bootFiles.missingDevices[item.key],
            device.problem.isDoubt(behind: controller)
        else { return nil }
        return .loaderDeviceUnknown(name: device.name, device.problem)
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
