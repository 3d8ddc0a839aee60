/// Nothing that a loader could start: no menu with a kernel, and no kernel anywhere.
enum NoKernelRule: RefusalRule {
    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? {
        let guest = draft.guest
        guard !guest.bootEntries.contains(where: { $0.entry.kernel != nil }), !guest.bootFiles.mayHoldKernels,
            // Xen's tools may hold the kernel outside the guest.
            !draft.bootsParavirtualized
        else { return nil }
        return .noKernel
    }
}
