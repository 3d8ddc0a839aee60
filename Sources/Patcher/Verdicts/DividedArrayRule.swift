internal import Storage

/// A root, or /usr, on an array whose members were each used without the others, with both given: either may be started.
enum DividedArrayRule: VerdictRule {
    static func judge(_ entry: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        draft.neededVolumes.flatMap { draft.guest.volumes[$0].dividedArrays }.first
            .map { [VerdictFinding(.arrayDivided($0))] } ?? []
    }
}

extension PlanDraft {
    /// What the initramfs mounts: the root, and /usr where it has a volume of its own.
    var neededVolumes: [Int] {
        [guest.rootVolume] + guest.mounts.filter { $0.path == "/usr" }.map(\.volume)
    }
}
