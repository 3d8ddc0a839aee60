/// Arguments that make an initramfs wait for a device besides the root, and stop without it.
enum AwaitedArgumentRule: VerdictRule {
    static func judge(_ item: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        for argument in item.entry.commandLine.arguments {
            guard let value = argument.valueRange,
                let reference = draft.guest.reference(in: item.file, at: value.lowerBound),
                let reason = reference.unresolved
            else { continue }
            let isAwaited =
                argument.name == "mount.usr"
                ? reason.mayBeMissing || !reference.isStable
                : !draft.request.wants(.deadRows) && draft.guest.absentVolume(argument, in: item.file) != nil
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
