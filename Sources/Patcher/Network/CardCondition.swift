internal import KernelModules

/// What a row asks of a card besides its name and address: a driver, a slot, or another thing that the old machine had.
package struct CardCondition: Sendable, Hashable {
    /// The word that it stands under, for people: `Driver`.
    package var setting: String
    /// As it is written.
    package var value: String
    /// The drivers of which the card is to have one, with patterns; none where it asks for something else, or for none of `others`.
    package var drivers: [String] = []
    /// The drivers of which it is to have none.
    package var others: [String] = []

    /// A list of drivers as systemd and netplan take it: one of them is to fit, or none where the list begins with "!". Nil where any
    /// driver does.
    static func drivers(_ words: [String], _ setting: String, separator: String = " ") -> CardCondition? {
        guard let first = words.first else { return nil }
        let value = words.joined(separator: separator)
        if first.hasPrefix("!") {
            let others = ([String(first.dropFirst())] + words.dropFirst()).filter { !$0.isEmpty }
            return others.isEmpty ? nil : CardCondition(setting: setting, value: value, others: others)
        }
        guard words.allSatisfy(CardName.isParticular) else { return nil }
        return CardCondition(setting: setting, value: value, drivers: words)
    }

    /// Whether a card of the target meets it: any that the target has, or the one that a new machine gets. What no target's table
    /// tells is not met.
    func isMet(on target: Target, byAny: Bool) -> Bool {
        guard !drivers.isEmpty || !others.isEmpty else { return false }
        let cards = TargetDevice.networkCards(of: target.name)
        return (byAny ? cards[...] : cards.prefix(1)).contains { card in
            let names = card.routes.flatMap { $0.last?.drivers ?? [] }.map(\.name)
            // Xen's driver bears another name than its module.
            let all = names.contains("xen_netfront") ? names + ["vif"] : names
            return (drivers.isEmpty || all.contains { Self.fits(drivers, $0) })
                && !all.contains { Self.fits(others, $0) }
        }
    }

    private static func fits(_ patterns: [String], _ name: String) -> Bool {
        patterns.contains { NamePattern.fits(Array($0.utf8)[...], Array(name.utf8)[...]) }
    }

    /// For people.
    var words: String { "\(setting) “\(value)”" }
}
