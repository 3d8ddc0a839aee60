/// Arguments that make an initramfs wait for a device besides the root, and stop without it: the entry's own, and those that the
/// initramfs carries (dracut's cmdline.d).
enum AwaitedArgumentRule: VerdictRule {
    static func judge(_ item: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        item.entry.commandLine.arguments.compactMap { own($0, item, draft) } + shared(item, draft)
            + carried(item, draft)
    }

    /// Those of the variables that the entry takes arguments from: they are changed where these are set.
    private static func shared(_ item: MenuEntry, _ draft: PlanDraft) -> [VerdictFinding] {
        let variables = Set(item.entry.variableArguments.map(\.name))
        return draft.guest.references.compactMap { reference in
            guard case .sharedKernelArgument("mount.usr") = reference.use,
                let reason = reference.unresolved, item.takes(reference, among: variables)
            else { return nil }
            return finding("mount.usr=\(reference.text)", reference.text, reason, reference.isStable)
        }
    }

    private static func own(
        _ argument: KernelCommandLine.Argument, _ item: MenuEntry, _ draft: PlanDraft
    ) -> VerdictFinding? {
        guard let value = argument.valueRange,
            let reference = draft.guest.reference(in: item.file, at: value.lowerBound),
            let reason = reference.unresolved
        else { return nil }
        let text = item.file.bytes.text(argument.range)
        if argument.name == "mount.usr" || argument.mountsForTheBoot(in: item.file.bytes) {
            return finding(text, reference.text, reason, reference.isStable)
        }
        guard !draft.request.wants(.deadRows), draft.absentVolume(argument, in: item.file) != nil else {
            return nil
        }
        return VerdictFinding(.argumentUnresolved(text, reason), symptom: symptom(reference.text))
    }

    /// What the initramfs adds to the arguments of each start: nothing takes it out there.
    private static func carried(_ item: MenuEntry, _ draft: PlanDraft) -> [VerdictFinding] {
        draft.drivers.facts(of: item).copies.compactMap { copy in
            guard let argument = copy.argument,
                !item.entry.commandLine.has(argument) || argument != "mount.usr",
                let reason = draft.guest.resolver.problem(ofAwaited: DeviceName(copy.name))
            else { return nil }
            let text = "\(argument)=\(copy.name) of \(copy.path) in \(copy.image)"
            if argument == "mount.usr" {
                return finding(text, copy.name, reason, !DeviceName(copy.name).isPositional)
            }
            guard KernelCommandLine.awaitedVolumes.contains(argument), reason.isAbsent,
                argument == "rd.luks.uuid" || !draft.guest.hasContainers
            else { return nil }
            return VerdictFinding(.argumentUnresolved(text, reason), symptom: symptom(copy.name))
        }
    }

    private static func finding(
        _ text: String, _ name: String, _ reason: UnresolvedReason, _ isStable: Bool
    ) -> VerdictFinding? {
        if reason.isNumbered {
            return VerdictFinding(.numberedDevice(place: text, reason), symptom: symptom(name))
        }
        guard reason.mayBeMissing || !isStable else { return nil }
        return VerdictFinding(.argumentUnresolved(text, reason), symptom: symptom(name))
    }

    private static func symptom(_ name: String) -> String { "dracut: Warning: \(name) does not exist" }
}

extension MenuEntry {
    /// A shared argument is one of its own: of the variable that it is given as a whole, or of those that were put in.
    fileprivate func takes(_ reference: Reference, among variables: Set<String>) -> Bool {
        guard ConfigurationSyntaxes.of(reference.kind).contains(where: { $0.setsVariables }) else {
            return false
        }
        return takesSharedArguments || variables.contains("mount.usr")
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
