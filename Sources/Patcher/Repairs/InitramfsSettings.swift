/// An initramfs that was made for the old machine, or will be made with its names.
enum InitramfsSettings: PlanStep {
    static let repair = Repair.settings
    static let reads: [any ConfigurationSyntax.Type] = [InitramfsPolicy.self]

    static func contribute(to draft: inout PlanDraft) {
        // What an image holds is said where it can be read.
        let isUnread = !draft.guest.defaultEntries.contains { draft.drivers(of: $0).isKnown }
        for file in draft.guest.files(InitramfsPolicy.self) {
            for assignment in file.syntax.variables.assignments where assignment.name != "RESUME" {
                if assignment.name == "MODULES", ["dep", "list"].contains(assignment.text), isUnread {
                    draft.advise(
                        .settings, file.file,
                        "MODULES=\(assignment.text): the initramfs may hold the old machine's drivers alone")
                }
                let words = assignment.text.split { $0 == " " || $0 == "\t" || $0 == "," }.map(String.init)
                for word in words where DeviceName(word).isPositional {
                    draft.advise(
                        .settings, file.file,
                        "\(assignment.name) names \(word), which may not be there on the next update")
                }
            }
        }
    }
}
