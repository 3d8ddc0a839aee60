/// GRUB_DISABLE_LINUX_UUID=true, or GRUB_DISABLE_UUID=true since GRUB 2.06, would write device names into the next menu.
enum FutureMenuNames: PlanStep {
    static let repair = Repair.names
    static let reads: [any ConfigurationSyntax.Type] = [GRUBDefaults.self]

    private static let switches: Set<String> = ["GRUB_DISABLE_LINUX_UUID", "GRUB_DISABLE_UUID"]

    static func contribute(to draft: inout PlanDraft) {
        guard draft.request.names != .target else { return }
        for file in draft.guest.files(GRUBDefaults.self) {
            for assignment in file.syntax.variables.assignments
            where switches.contains(assignment.name) && assignment.text == "true" {
                draft.edit(
                    file.file, assignment.valueRange, "false", .names,
                    "the next update of the menu would write device names again")
            }
        }
    }
}
