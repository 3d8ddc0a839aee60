internal import Storage

/// Whether the entry's root will be found by its name.
enum RootRule: VerdictRule {
    static func judge(_ item: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        guard let reason = problem(item, draft) else { return [] }
        let symptom = reason.severity == .stops ? symptom(item.entry, draft.guest) : nil
        return [VerdictFinding(reason, symptom: symptom)]
    }

    private static func problem(_ item: MenuEntry, _ draft: PlanDraft) -> VerdictReason? {
        let own = item.entry.commandLine.arguments.lastIndex { $0.name == "root" }
        // The last one wins, be it a variable's.
        if let shared = item.entry.variableArguments.last(where: { $0.name == "root" }),
            let text = shared.value, shared.index > own ?? -1
        {
            return problem(ofVariable: text, item, draft)
        }
        guard let argument = item.entry.commandLine.last("root"), let range = argument.valueRange else {
            return problemOfSharedRoot(item, draft) ?? problemWithoutRoot(item, draft.guest)
        }
        let written = item.file.bytes.text(range)
        guard let text = argument.isOpaque ? argument.plainValue : written else {
            return argument.isUntold ? .rootNotTold(written) : .rootUnresolved(written, .opaque)
        }
        let name = DeviceName(text)
        if item.entry.initrds.isEmpty {
            switch name {
            case .uuid, .label: return .rootNeedsInitramfs(text)
            default: break
            }
        }
        if let reference = draft.guest.reference(in: item.file, at: range.lowerBound) {
            return problem(of: reference, text, item.entry.kernelVersion, draft)
        }
        // The value of a variable has its name changed where it is set.
        if argument.isOpaque { return problem(ofVariable: text, item, draft) }
        return problem(text, draft)
    }

    /// A root that a variable stands for: its name is changed where it is set.
    private static func problem(
        ofVariable text: String, _ item: MenuEntry, _ draft: PlanDraft
    ) -> VerdictReason? {
        let set = draft.guest.references.first { reference in
            guard case .sharedKernelArgument("root") = reference.use else { return false }
            return reference.text == text
                && ConfigurationSyntaxes.of(reference.kind).contains { $0.setsVariables }
        }
        return set.map { problem(of: $0, text, item.entry.kernelVersion, draft) } ?? problem(text, draft)
    }

    /// A name that nothing would change.
    private static func problem(_ text: String, _ draft: PlanDraft) -> VerdictReason? {
        let name = DeviceName(text)
        if isRemote(text) { return .awaitsTarget("root=\(text)") }
        if text == "gpt-auto", !isRootByType(draft.guest.volumes[draft.guest.rootVolume]) {
            return .rootUnresolved(
                text, .noRootPartition(volume: draft.guest.volumes[draft.guest.rootVolume].name))
        }
        switch draft.guest.resolver.resolve(name) {
        case .unresolved(let reason): return judge(text, reason)
        case .volume(let volume) where name.isPositional:
            if let target = draft.targetName(ofVolume: volume), target != text {
                return .rootUnresolved(text, .renamed(to: target))
            }
        case .volume, .disk, .notADisk, .stable: break
        }
        // A number's driver may be the target's too.
        let isOpen = ["gpt-auto", "auto", ""].contains(text) || DeviceNumber(text) != nil
        return name == .notADevice && !isOpen ? .rootUnresolved(text, .noVolume) : nil
    }

    /// A root that another machine has: the kernel's NFS, and what dracut and initramfs-tools take.
    private static func isRemote(_ text: String) -> Bool {
        let schemes = [
            "nfs:", "nfs4:", "nbd:", "iscsi:", "fcoe:", "cifs:", "http:", "https:", "live:nfs", "live:http",
        ]
        return ["/dev/nfs", "dhcp", "dhcp6"].contains(text) || schemes.contains(where: text.hasPrefix)
            || text.suffix(behind: "/dev/nbd").map { $0.first?.isNumber == true } ?? false
    }

    /// systemd finds the root by its partition's type (systemd-gpt-auto-generator(8)).
    private static func isRootByType(_ volume: Volume) -> Bool {
        volume.typeName.map { $0.hasPrefix("Linux root") } ?? false
    }

    private static func problem(
        of reference: Reference, _ text: String, _ kernel: [Int]?, _ draft: PlanDraft
    ) -> VerdictReason? {
        switch reference.resolution {
        case .unresolved(let reason): return judge(text, reason)
        case .notADisk:
            return isRemote(text) ? .awaitsTarget("root=\(text)") : .rootUnresolved(text, .noVolume)
        case .disk: return nil
        case .stable:
            // A device-mapper number is given by the order of making.
            if case .mapped(let node) = DeviceName(reference.text), node.hasPrefix("dm-") {
                return .rootUnresolved(text, .noVolume)
            }
            // What nothing on the disks makes.
            return draft.guest.resolver.sourceProblem(DeviceName(reference.text)).map {
                .rootUnresolved(text, $0)
            }
        case .volume(let volume):
            let roots = draft.guest.frame.systemRoots
            if !roots.isEmpty, !roots.contains(volume), draft.guest.capabilities[volume] != nil {
                return .rootUnresolved(text, .noSystem(volume: draft.guest.volumes[volume].name))
            }
            return draft.newName(of: reference, kernel: kernel).map {
                .rootUnresolved(text, .renamed(to: $0))
            }
        }
    }

    /// RHEL 8's entries take their arguments from the environment block, or from grub.cfg where it has none.
    private static func problemOfSharedRoot(_ item: MenuEntry, _ draft: PlanDraft) -> VerdictReason? {
        guard item.takesSharedArguments else { return nil }
        let roots = draft.guest.references.filter { $0.use.isKernelArgument("root") }
        let chosen =
            roots.last { $0.kind == GRUBEnvironmentFile.kind } ?? roots.last { $0.kind == GRUB2Config.kind }
        return chosen.flatMap { problem(of: $0, $0.text, item.entry.kernelVersion, draft) }
    }

    /// initramfs-tools looks for what root= names, and for nothing else unless boot= says so.
    private static func problemWithoutRoot(_ item: MenuEntry, _ guest: LinuxSystem) -> VerdictReason? {
        guard let family = guest.release?.family, [.debian, .ubuntu].contains(family), item.file.isReadAtBoot,
            !item.takesSharedArguments, !item.entry.commandLine.has("boot"), !item.entry.initrds.isEmpty,
            !item.entry.isTool,
            !item.entry.isXenMultiboot, item.file.syntax.sharedCommandLines(in: item.file.bytes).isEmpty
        else { return nil }
        return .rootNotNamed
    }

    /// Of several volumes that bear a name one is found; which one, nobody knows.
    private static func judge(_ name: String, _ reason: UnresolvedReason) -> VerdictReason {
        if case .shared(_, let volumes) = reason { return .rootShared(name, volumes: volumes) }
        return .rootUnresolved(name, reason)
    }

    static func symptom(_ entry: BootEntry, _ guest: LinuxSystem) -> String {
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
