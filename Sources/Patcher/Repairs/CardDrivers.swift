/// Drivers that modprobe.conf gives to cards.
enum CardDrivers: PlanStep {
    static let repair = Repair.net
    static let reads: [any ConfigurationSyntax.Type] = [ModprobeConfiguration.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(ModprobeConfiguration.self) {
            for row in file.syntax.rows
            where row.words.count >= 3 && row.words[0] == "alias" && row.words[1].hasPrefix("eth") {
                draft.advise(.net, file.file, "\(row.words[1]) is driven by \(row.words[2])", isMinor: true)
            }
        }
    }
}
