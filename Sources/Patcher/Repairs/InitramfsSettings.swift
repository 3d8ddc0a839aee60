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
                let bytes = file.file.bytes
                for range in NamedDevices.paths(in: bytes, assignment.valueRange) {
                    let word = bytes.text(range)
                    guard DeviceName(word).isPositional else { continue }
                    draft.advise(
                        .settings, file.file,
                        "\(assignment.name) names \(word), which may not be there on the next update")
                }
            }
        }
    }
}
