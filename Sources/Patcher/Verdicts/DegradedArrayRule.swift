internal import Storage

/// A root, or /usr, on an array of which members that it counts on were not given: some initramfs images start it without them,
/// some after a time, some never.
enum DegradedArrayRule: VerdictRule {
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        guard !startsDegraded(entry) else { return [] }
        let arrays = draft.neededVolumes.flatMap { draft.guest.volumes[$0].degradedArrays }
        return arrays.first.map { [VerdictFinding(.arrayDegraded($0))] } ?? []
    }

    /// Ubuntu's initramfs is told so.
    private static func startsDegraded(_ item: MenuEntry) -> Bool {
        guard let argument = item.entry.commandLine.last("bootdegraded") else { return false }
        guard let value = argument.valueRange else { return true }
        return ["true", "yes", "1"].contains(item.file.bytes.text(value).lowercased())
    }
}
