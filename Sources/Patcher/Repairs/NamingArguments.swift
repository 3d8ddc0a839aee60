internal import Storage

/// Arguments of kernels that nothing here knows, and that name a disk.
enum NamingArguments: PlanStep {
    static let repair = Repair.names

    static func contribute(to draft: inout PlanDraft) {
        for place in draft.guest.commandLines {
            for argument in place.line.namingUnknownly(in: place.file.bytes) {
                draft.advise(
                    .names, place.file,
                    "the kernel's argument \(argument.name) names \(argument.device), which may be another device on \(draft.hypervisor.title), or none; it is left as it is"
                )
            }
        }
    }
}
