/// Arguments that have an initramfs log in to a disk of another machine (iSCSI), though the root is on the given disks.
enum AwaitedTargetRule: VerdictRule {
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        let names = entry.entry.commandLine.arguments.map(\.name) + entry.entry.variableArguments.map(\.name)
        let found = names.first { name in
            name == "netroot"
                || ["rd.iscsi.", "iscsi_", "iscsi."].contains(where: name.lowercased().hasPrefix)
        }
        return found.map { [VerdictFinding(.awaitsTarget($0))] } ?? []
    }
}
