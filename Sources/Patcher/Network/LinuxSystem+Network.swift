internal import GuestTree

extension LinuxSystem {
    /// What its files say of network cards.
    package var network: GuestNetwork { GuestNetwork(self) }

    /// The names that the guest's files give its network cards, each once, in the order that numbers count.
    package var networkNames: [String] { network.cards.map(\.name) }

    func networkFacts<Family: NetworkSyntax>(of family: Family.Type) -> NetworkFacts {
        Family.facts(of: files(family))
    }
}

/// A network card of a guest.
package struct GuestCard: Sendable {
    /// Its name.
    package var name: String
    /// The files that name it, in their order.
    package var files: [ScannedFile]
    /// The rows that tie something of it to an address.
    package var pins: [NetworkFacts.Pin]

    /// The addresses that its rows know it by; one unless they contradict each other.
    var addresses: [HardwareAddress] {
        let known = pins.filter { $0.role != .sets }.map(\.address)
        let all = known.isEmpty ? [HardwareAddress(cardName: name)].compactMap(\.self) : known
        return all.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}

/// A guest's network cards, and what its files tie to them.
package struct GuestNetwork: Sendable {
    /// Everything that the files say.
    package let facts: NetworkFacts
    /// The cards, in the order that numbers count.
    package let cards: [GuestCard]

    /// Work on rows may take their square in time.
    private static let rowLimit = 2000

    init(_ guest: LinuxSystem) {
        var facts = NetworkFacts()
        for family in ConfigurationSyntaxes.networks { facts.add(guest.networkFacts(of: family)) }
        let rowCount = facts.uses.count + facts.pins.count
        if rowCount > Self.rowLimit, let file = facts.uses.first?.file ?? facts.pins.first?.file {
            facts = NetworkFacts()
            facts.problems = [
                .init(file: file, reason: "with the others it has more cards than any real guest")
            ]
        }
        self.facts = facts
        var files: [String: [ScannedFile]] = [:]
        for use in facts.uses
        where files[use.name]?.contains(where: { $0.file.key == use.file.file.key }) != true {
            files[use.name, default: []].append(use.file)
        }
        for pin in facts.pins where pin.role != .sets {
            if let name = pin.name, files[name] == nil { files[name] = [pin.file] }
        }
        let pins = Dictionary(grouping: facts.pins.filter { $0.name != nil }) { $0.name ?? "" }
        let names = files.keys.filter { $0 != "lo" && !facts.virtual.contains($0) }
        cards = names.sorted { VersionOrder.compare($0, $1) < 0 }.map { name in
            GuestCard(name: name, files: files[name] ?? [], pins: pins[name] ?? [])
        }
    }
}
