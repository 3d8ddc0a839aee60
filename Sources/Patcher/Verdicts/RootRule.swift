/// Whether the entry's root will be found by its name.
enum RootRule: VerdictRule {
    static func judge(_ item: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        guard let reason = problem(item, draft.guest) else { return [] }
        let symptom = reason.severity == .stops ? symptom(item.entry, draft.guest) : nil
        return [VerdictFinding(reason, symptom: symptom)]
    }

    private static func problem(_ item: MenuEntry, _ guest: LinuxSystem) -> VerdictReason? {
        guard let argument = item.entry.commandLine.last("root"), let range = argument.valueRange else {
            return problemOfSharedRoot(item, guest)
        }
        let text = item.file.bytes.text(range)
        let name = DeviceName(text)
        if item.entry.initrds.isEmpty {
            switch name {
            case .uuid, .label: return .rootNeedsInitramfs(text)
            default: break
            }
        }
        guard !argument.isOpaque,
            let reason = guest.reference(in: item.file, at: range.lowerBound)?.unresolved
        else { return nil }
        return judge(text, reason)
    }

    /// RHEL 8's entries take their arguments from the environment block, or from grub.cfg where it has none.
    private static func problemOfSharedRoot(_ item: MenuEntry, _ guest: LinuxSystem) -> VerdictReason? {
        guard item.takesSharedArguments else { return nil }
        let roots = guest.references.filter { $0.use.isKernelArgument("root") }
        let chosen =
            roots.first { $0.kind == GRUBEnvironmentFile.kind } ?? roots.first { $0.kind == GRUB2Config.kind }
        guard let chosen, let reason = chosen.unresolved else { return nil }
        return judge(chosen.text, reason)
    }

    /// Of several volumes that bear a name one is found; which one, nobody knows.
    private static func judge(_ name: String, _ reason: UnresolvedReason) -> VerdictReason {
        if case .shared(_, let volumes) = reason { return .rootShared(name, volumes: volumes) }
        return .rootUnresolved(name, reason)
    }

    private static func symptom(_ entry: BootEntry, _ guest: LinuxSystem) -> String {
        if entry.initrds.isEmpty { return "VFS: Cannot open root device" }
        switch guest.release?.family {
        case .redHat?:
            return guest.release.flatMap(\.major).map { $0 <= 5 } == true
                ? "mount: could not find filesystem '/dev/root'"
                : "dracut: Warning: could not boot, root does not exist"
        case .suse?: return "Waiting for the root device to appear: not found -- exiting to /bin/sh"
        default: return "Gave up waiting for root file system device"
        }
    }
}

extension MenuEntry {
    /// Its arguments are the variable that the environment block, or grub.cfg, sets.
    var takesSharedArguments: Bool {
        entry.commandLine.arguments.contains {
            ["$kernelopts", "${kernelopts}"].contains(file.bytes.text($0.range))
        }
    }
}
