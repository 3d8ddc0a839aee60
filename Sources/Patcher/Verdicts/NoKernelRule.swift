internal import Storage

/// Nothing that a loader could start: no menu with a kernel, and no kernel anywhere.
enum NoKernelRule: RefusalRule {
    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? {
        let guest = draft.guest
        guard !guest.bootEntries.contains(where: { $0.entry.kernel != nil }), !guest.bootFiles.mayHoldKernels,
            // Xen's tools may hold the kernel outside the guest.
            !draft.bootsParavirtualized
        else { return nil }
        let boot = guest.mounts.first { $0.path == "/boot" }?.volume
        return .noKernel(
            boot: boot.map { "\(guest.volumes[$0].name) (\(guest.volumes[$0].identity.kind.rawValue))" },
            boot.flatMap { draft.obstacle(to: .names, on: $0) })
    }
}
