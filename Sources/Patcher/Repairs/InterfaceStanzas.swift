/// Cards that interfaces(5) names.
enum InterfaceStanzas: PlanStep {
    static let repair = Repair.net
    static let reads: [any ConfigurationSyntax.Type] = [Interfaces.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(Interfaces.self) {
            for row in file.syntax.rows where ["auto", "iface", "allow-hotplug"].contains(row.words[0]) {
                for (word, range) in zip(row.words, row.ranges).dropFirst() where draft.isPlaceName(word) {
                    draft.renameCard(file.file, range, word)
                }
            }
        }
    }
}
