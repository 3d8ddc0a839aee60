/// netplan's YAML.
package struct Netplan: NetworkSyntax {
    package static let kind = ConfigurationKind("netplan")
    package static let places: [ConfigurationPlace] = [
        .directory("/etc/netplan", suffix: ".yaml"), .directory("/lib/netplan", suffix: ".yaml"),
        .directory("/usr/lib/netplan", suffix: ".yaml"),
    ]

    /// The text; nil where it is not read.
    let document: YAMLNode?
    /// Why not.
    let refusal: YAMLRefusal?

    package init(_ bytes: [UInt8], path: String) {
        do throws(YAMLRefusal) {
            document = try YAMLReader.read(bytes)
            refusal = nil
        } catch {
            document = nil
            refusal = error
        }
    }

    /// Files add to each other's definitions: what one says of a card, another may complete.
    package static func facts(of files: [ParsedFile<Netplan>]) -> NetworkFacts {
        var facts = NetworkFacts()
        var cards: [Card] = []
        var places: [String: Int] = [:]
        for file in files {
            if let refusal = file.syntax.refusal {
                facts.problems.append(
                    .init(file: file.file, reason: "line \(refusal.line) has \(refusal.what)"))
            }
            guard let network = file.syntax.document?["network"] else { continue }
            for (key, value) in network["ethernets"]?.entries ?? [] {
                let index = places[key.text] ?? cards.count
                if index == cards.count {
                    places[key.text] = index
                    cards.append(Card(id: key.text, file: file.file))
                }
                cards[index].add(value, file.file)
            }
            addVirtual(network, file.file, &facts)
        }
        let ids = Set(cards.map(\.id))
        for card in cards { card.add(to: &facts) }
        // A port that no file defines is a card all the same.
        for (interface, port, file) in files.flatMap({ ports($0) }) {
            facts.join(cards.first { $0.id == port }?.usedName ?? port, to: interface)
            if !ids.contains(port), CardName.isOfCard(CardName.base(port)) { facts.use(port, file) }
        }
        return facts
    }

    private static let virtualKinds = ["bonds", "bridges", "vlans", "vrfs", "tunnels", "dummy-devices"]

    private static func addVirtual(_ network: YAMLNode, _ file: ScannedFile, _ facts: inout NetworkFacts) {
        for kind in virtualKinds {
            for (key, value) in network[kind]?.entries ?? [] {
                facts.virtual.insert(key.text)
                if let address = value["macaddress"]?.scalar, HardwareAddress(address.text) != nil {
                    facts.pin(address.text, address.range, of: key.text, .sets, "macaddress", file)
                }
            }
        }
    }

    /// The interfaces that bonds, bridges and VLANs are made of.
    private static func ports(_ file: ParsedFile<Netplan>) -> [(String, String, ScannedFile)] {
        guard let network = file.syntax.document?["network"] else { return [] }
        return virtualKinds.flatMap { kind in
            (network[kind]?.entries ?? []).flatMap { entry in
                let words =
                    ["interfaces", "link"].flatMap { entry.value[$0]?.words ?? [] }
                    + (entry.value["parameters"]?["primary"]?.words ?? [])
                return words.map { (entry.key.text, $0.text, file.file) }
            }
        }
    }

    /// One entry of `ethernets`, put together from all files.
    private struct Card {
        var id: String
        var file: ScannedFile
        var hasMatch = false
        var name: String?
        var givenName: String?
        var drivers: [String] = []
        var matched: (scalar: YAMLScalar, file: ScannedFile)?
        var set: (scalar: YAMLScalar, file: ScannedFile)?

        mutating func add(_ node: YAMLNode, _ file: ScannedFile) {
            if let match = node["match"] {
                hasMatch = true
                name = match["name"]?.scalar?.text ?? name
                drivers += match["driver"]?.words.map(\.text) ?? []
                if let address = match["macaddress"]?.scalar { matched = (address, file) }
            }
            givenName = node["set-name"]?.scalar?.text ?? givenName
            if let address = node["macaddress"]?.scalar { set = (address, file) }
        }

        /// Without a match the identifier is the card's name; with one it is a word of the file's own.
        private var used: String? { hasMatch ? name.flatMap { CardName.isPlain($0) ? $0 : nil } : id }

        /// The card's name, once it is given one.
        var usedName: String? { givenName ?? used }

        func add(to facts: inout NetworkFacts) {
            if let used {
                facts.use(used, file)
            } else if let name {
                facts.use(patterns: [name], "match of \(id)", file)
            }
            if let matched {
                if let givenName { facts.use(givenName, file) }
                // netplan writes a .link file of its own from these two.
                facts.pin(
                    matched.scalar.text, matched.scalar.range, of: givenName ?? used,
                    givenName == nil ? .matches : .names, "macaddress", matched.file)
                if let address = HardwareAddress(matched.scalar.text), usedName != id {
                    facts.aliases.append(.init(name: id, address: address))
                }
            }
            if let set, HardwareAddress(set.scalar.text) != nil {
                facts.pin(
                    set.scalar.text, set.scalar.range, of: givenName ?? used ?? id, .sets, "macaddress",
                    set.file)
            }
            guard let condition = CardCondition.drivers(drivers, "driver of \(id)", separator: ", ") else {
                return
            }
            facts.hardware(file, condition)
            facts.demand(
                condition, of: usedName,
                [matched.flatMap { HardwareAddress($0.scalar.text) }].compactMap(\.self),
                file)
        }
    }
}
