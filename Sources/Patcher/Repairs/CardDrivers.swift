/// Drivers that modprobe.conf gives to cards.
enum CardDrivers: PlanStep {
    static let repair = Repair.net
    static let reads: [any ConfigurationSyntax.Type] = [ModprobeConfiguration.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(ModprobeConfiguration.self) {
            for row in file.syntax.rows
            where row.words.count >= 3 && row.words[0] == "alias" && row.words[1].hasPrefix("eth") {
                let (card, driver) = (row.words[1], row.words[2])
                let condition = CardCondition(setting: "alias", value: driver, drivers: [driver])
                guard !condition.isMet(on: draft.target, byAny: false) else { continue }
                draft.advise(
                    .net, file.file,
                    "the alias of \(card) names \(driver), which drove the old machine's card: the driver of the new one is loaded by what that card is, or by an alias that names it",
                    isMinor: true)
            }
        }
    }
}
