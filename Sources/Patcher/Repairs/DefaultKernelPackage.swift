/// Red Hat's installer of kernels makes the next kernel of this package the default.
enum DefaultKernelPackage: PlanStep {
    static let repair = Repair.defaultEntry
    static let after: [any PlanStep.Type] = [
        DefaultCanStart.self, DefaultReturnsToXen.self, DefaultIsFallback.self,
    ]
    static let reads: [any ConfigurationSyntax.Type] = [SysconfigKernel.self]

    static func contribute(to draft: inout PlanDraft) {
        // Where Xen starts kernels itself, a Xen kernel may be what is wanted, unless the default just had to leave one.
        let leavesXen = draft.guest.defaultEntries.contains {
            draft.kernelProblem($0.entry) != nil && draft.movedDefaults[$0.key.file] != nil
        }
        guard !draft.bootsParavirtualized || leavesXen else { return }
        for file in draft.guest.files(SysconfigKernel.self) {
            guard let value = file.syntax.variables.last("DEFAULTKERNEL"),
                value.text.hasSuffix("-xen") || value.text == "kernel-xenU"
            else { continue }
            draft.edit(
                file.file, value.valueRange, "kernel", .defaultEntry,
                "the next kernel update would make a Xen kernel the default again")
        }
    }
}
