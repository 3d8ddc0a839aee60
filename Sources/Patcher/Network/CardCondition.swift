internal import KernelModules

/// What a row asks of a card besides its name and address: a driver, a slot, or another thing that the old machine had.
package struct CardCondition: Sendable, Hashable {
    /// The word that it stands under, for people: `Driver`.
    package var setting: String
    /// As it is written.
    package var value: String
    /// The drivers of which the card is to have one, with patterns; none where it asks for something else.
    package var drivers: [String] = []

    /// Whether a card of the target meets it: any that the target has, or the one that a new machine gets. What no target's table
    /// tells is not met.
    func isMet(on target: Target, byAny: Bool) -> Bool {
        let cards = TargetDevice.networkCards(of: target.name)
        return (byAny ? cards[...] : cards.prefix(1)).contains { card in
            let names = card.routes.flatMap { $0.last?.drivers ?? [] }.map(\.name)
            // Xen's driver bears another name than its module.
            return (names.contains("xen_netfront") ? names + ["vif"] : names).contains { name in
                drivers.contains { NamePattern.fits(Array($0.utf8)[...], Array(name.utf8)[...]) }
            }
        }
    }

    /// For people.
    var words: String { "\(setting) “\(value)”" }
}
