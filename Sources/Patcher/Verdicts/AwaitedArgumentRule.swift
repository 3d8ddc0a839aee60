/// Arguments that make an initramfs wait for a device besides the root, and stop without it.
enum AwaitedArgumentRule: VerdictRule {
    static func judge(_ item: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        for argument in item.entry.commandLine.arguments {
            guard let value = argument.valueRange,
                let reference = draft.guest.reference(in: item.file, at: value.lowerBound),
                let reason = reference.unresolved
            else { continue }
            let isAwaited =
                argument.name == "mount.usr" || argument.mountsForTheBoot(in: item.file.bytes)
                ? reason.mayBeMissing || !reference.isStable
                : !draft.request.wants(.deadRows) && draft.absentVolume(argument, in: item.file) != nil
            guard isAwaited else { continue }
            return [
                VerdictFinding(
                    .argumentUnresolved(item.file.bytes.text(argument.range), reason),
                    symptom: "dracut: Warning: \(reference.text) does not exist")
            ]
        }
        return []
    }
}

extension KernelCommandLine.Argument {
    /// A mount of systemd's that the boot waits for: `systemd.mount-extra=` without `nofail`.
    fileprivate func mountsForTheBoot(in bytes: [UInt8]) -> Bool {
        guard name == "systemd.mount-extra", let valueRange else { return false }
        let parts = bytes.text(valueRange).split(separator: ":", omittingEmptySubsequences: false)
        let options = parts.count > 3 ? parts[3].split(separator: ",") : []
        return !options.contains { ["nofail", "noauto"].contains($0) }
    }
}
