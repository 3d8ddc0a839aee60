/// GRUB_DISABLE_LINUX_UUID=true would write device names into the next menu.
enum FutureMenuNames: PlanStep {
    static let repair = Repair.names
    static let reads: [any ConfigurationSyntax.Type] = [GRUBDefaults.self]

    static func contribute(to draft: inout PlanDraft) {
        guard draft.request.names != .target else { return }
        for file in draft.guest.files(GRUBDefaults.self) {
            for assignment in file.syntax.variables.assignments
            where assignment.name == "GRUB_DISABLE_LINUX_UUID" && assignment.text == "true" {
                draft.edit(
                    file.file, assignment.valueRange, "false", .names,
                    "the next update of the menu would write device names again")
            }
        }
    }
}
