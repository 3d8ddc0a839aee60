/// Cards that netplan names.
enum NetplanNames: PlanStep {
    static let repair = Repair.net
    static let reads: [any ConfigurationSyntax.Type] = [Netplan.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(Netplan.self).map(\.file) {
            for row in TextLine.all(in: file.bytes) {
                let text = file.bytes.trimmed(row.content)
                guard file.bytes[text].last == .colon else { continue }
                let key = text.lowerBound..<text.upperBound - 1
                let name = file.bytes.text(key)
                if draft.isPlaceName(name) { draft.renameCard(file, key, name) }
            }
        }
    }
}
