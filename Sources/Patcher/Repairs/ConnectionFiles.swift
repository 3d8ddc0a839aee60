/// NetworkManager's key files: a card's address and its name.
enum ConnectionFiles: PlanStep {
    static let repair = Repair.net
    static let reads: [any ConfigurationSyntax.Type] = [NetworkManagerKeyFile.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(NetworkManagerKeyFile.self).map(\.file) {
            for row in TextLine.all(in: file.bytes) { repair(file, row, &draft) }
        }
    }

    private static func repair(_ file: ScannedFile, _ row: TextLine, _ draft: inout PlanDraft) {
        let text = file.bytes.trimmed(row.content)
        guard let equals = file.bytes[text].firstIndex(of: .equals) else { return }
        let value = file.bytes.text(equals + 1..<text.upperBound)
        switch file.bytes.text(text.lowerBound..<equals) {
        case "interface-name" where draft.isPlaceName(value):
            draft.renameCard(file, equals + 1..<text.upperBound, value)
        case "mac-address":
            if draft.request.wants(.net) {
                draft.comment(file, lineAt: row.content.lowerBound, .net, "the card's address changes")
            } else {
                draft.advise(
                    .net, file,
                    "mac-address=\(value) must be the new card's address too (\(remedy: .ask(.net)))")
            }
        default: break
        }
    }
}
