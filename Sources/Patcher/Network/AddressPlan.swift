/// The addresses that a guest's cards have on the target, as far as its files and the user tell.
struct AddressPlan: Sendable {
    /// One card.
    struct Card: Sendable {
        /// The card as it was found.
        var card: GuestCard
        /// Its address on the target; nil where nobody tells.
        var address: HardwareAddress?
        /// Its address was stated by its name, or by an address that its rows give it and no row knows it by.
        var isStated = false
        /// The addresses that it is known by.
        var known: [HardwareAddress] = []
        /// Why nothing of it can be changed.
        var conflict: Sentence?
    }

    /// The cards, those too that only the user names.
    private(set) var cards: [Card] = []
    private let statements: [AddressStatement]
    private let facts: NetworkFacts
    /// The cards that each address was found with.
    private var owners: [HardwareAddress: [String]] = [:]

    init(_ network: GuestNetwork, _ statements: [AddressStatement]) {
        self.statements = statements
        facts = network.facts
        var found = network.cards
        for case .name(let name) in statements.map(\.card)
        where !found.contains(where: { $0.name == name }) && !facts.virtual.contains(name) {
            found.append(GuestCard(name: name, files: [], pins: []))
        }
        for card in found {
            for address in knownAddresses(of: card) { owners[address, default: []].append(card.name) }
        }
        cards = found.map(resolved)
        let named = Dictionary(grouping: cards.filter { $0.address != nil }, by: \.address)
        for index in cards.indices where cards[index].conflict == nil {
            guard let address = cards[index].address,
                let other = named[address]?.first(where: { $0.card.name != cards[index].card.name })
            else { continue }
            cards[index].conflict =
                "\(address.text) would be both \(cards[index].card.name) and \(other.card.name)"
        }
    }

    private func resolved(_ card: GuestCard) -> Card {
        let byName = byName(card.name)
        let known = knownAddresses(of: card)
        let moved = Set(known.compactMap(byAddress))
        var result = Card(card: card, isStated: byName != nil, known: known)
        if let byName {
            result.address = byName
            if moved.contains(where: { $0 != byName }) {
                result.conflict = "two new addresses are given for \(card.name)"
            }
            return result
        }
        let after = known.map { byAddress($0) ?? $0 }.reduce(into: [HardwareAddress]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        if after.count > 1 {
            result.conflict =
                "its files give it different addresses, \(after.map(\.text).joined(separator: " and "))"
        } else {
            result.address = after.first
        }
        return result
    }

    /// The addresses that a card is known by. One that no row knows it by, and that a row gives it, or the interface that
    /// is made of it alone, is the card's where the user speaks of the card or of that address: it is what the network saw.
    private func knownAddresses(of card: GuestCard) -> [HardwareAddress] {
        let known = card.addresses
        guard known.isEmpty else { return known }
        let given = facts.pins.filter { pin in
            pin.role == .sets
                && (pin.name == card.name || pin.name.map { isMade($0, of: card.name) } ?? false)
        }.map(\.address).reduce(into: [HardwareAddress]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        if byName(card.name) != nil, given.count == 1 { return given }
        return given.filter { byAddress($0) != nil }
    }

    /// An interface is made of that card and no other.
    private func isMade(_ interface: String, of card: String) -> Bool {
        let cards = facts.ports.filter { $0.interface == interface }.map(\.card)
        return !cards.isEmpty && cards.allSatisfy { $0 == card }
    }

    private func byName(_ name: String) -> HardwareAddress? {
        statements.first { $0.card == .name(name) }.map(\.new)
    }

    private func byAddress(_ address: HardwareAddress) -> HardwareAddress? {
        statements.first { $0.card == .address(address) }.map(\.new)
    }

    /// What a row's address becomes; nil: nothing is said of it.
    func newAddress(of pin: NetworkFacts.Pin) -> HardwareAddress? {
        guard !statements.isEmpty else { return nil }
        if pin.role != .sets, let name = pin.name, let new = byName(name) { return new }
        if let new = byAddress(pin.address) { return new }
        // A row that names no card, or what is made of cards, is the one's whose address it has.
        guard let names = owners[pin.address], names.count == 1, let owner = names.first,
            pin.name.map({ $0 == owner || facts.virtual.contains($0) }) ?? true
        else { return nil }
        return byName(owner)
    }

    /// The user gave another address for the card that had this one.
    func isMoved(_ address: HardwareAddress) -> Bool { byAddress(address) != nil }

    /// The address is one that the user gave for the target.
    func isStated(_ address: HardwareAddress) -> Bool { statements.contains { $0.new == address } }

    /// Rows whose addresses change and that are no card's, together by their addresses.
    func changesWithoutCard(_ pins: [NetworkFacts.Pin]) -> [[NetworkFacts.Pin]] {
        let names = Set(cards.map(\.card.name))
        var groups: [HardwareAddress: [NetworkFacts.Pin]] = [:]
        for pin in pins where owners[pin.address] == nil {
            if pin.role != .sets, let name = pin.name, names.contains(name) { continue }
            if let new = newAddress(of: pin), new != pin.address {
                groups[pin.address, default: []].append(pin)
            }
        }
        return groups.sorted { $0.key.text < $1.key.text }.map(\.value)
    }

    /// A row goes with a card, by its name or its address.
    private static func has(_ card: Card, _ pin: NetworkFacts.Pin) -> Bool {
        pin.name == card.card.name && pin.role != .sets || card.known.contains(pin.address)
    }

    /// The rows of a card whose addresses change.
    func changes(of card: Card, among pins: [NetworkFacts.Pin]) -> [NetworkFacts.Pin] {
        pins.filter { pin in
            guard let new = newAddress(of: pin), new != pin.address, Self.has(card, pin) else { return false }
            // Of two cards with one address, each has the rows that bear its name.
            let named = cards.first { $0.card.name == pin.name }
            return named.map { $0.card.name == card.card.name || !Self.has($0, pin) } ?? true
        }
    }
}
