internal import GuestTree

extension Repair {
    /// Names and addresses of network cards.
    public static let net = Repair("net", needsAsking: true)
}

/// A card keeps its name on the target: the name that it would get there depends on a slot that nobody knows. One file ties
/// the name to the card's address, and where the address changes, every row that holds the old one follows. All of it for a
/// card, or none.
enum CardNames: PlanStep {
    static let repair = Repair.net
    static let reads: [any ConfigurationSyntax.Type] = []

    static func contribute(to draft: inout PlanDraft) {
        let network = draft.guest.network
        let plan = AddressPlan(network, draft.request.addresses)
        let tie = NameTie(draft.guest)
        var rules: [String] = []
        for card in plan.cards {
            CardRepair(card: card, plan: plan, network: network, tie: tie).run(&draft, &rules)
        }
        for pins in plan.changesWithoutCard(network.facts.pins) where draft.request.wants(.net) {
            var trial = draft
            if let problem = CardRepair.demand(of: nil, pins.map(\.address), network, draft.target)
                ?? CardRepair.changeAddresses(pins, plan, network, &trial)
            {
                let text = pins.first?.text ?? ""
                draft.unmetStatement = draft.unmetStatement ?? .cardNotChanged(card: text, problem)
                draft.advise(.net, pins.first?.file, "\(text) is left as it is everywhere: \(problem)")
            } else {
                draft = trial
            }
        }
        writeRules(rules, &draft)
        adviseStatements(plan, network, &draft)
    }

    /// The lines of all cards go into the one file.
    private static func writeRules(_ rules: [String], _ draft: inout PlanDraft) {
        guard !rules.isEmpty else { return }
        let reason = "cards keep their names, by their addresses"
        if let file = draft.guest.files(NetRules.self).first(where: { $0.syntax.isPersistent })?.file {
            draft.edit(
                file, file.bytes.count..<file.bytes.count, lineEnds(file.bytes) + rules.joined(), .net, reason
            )
        } else if let directory = draft.guest.inspection.network.ruleDirectory {
            draft.add(
                .create(
                    NamePlace(NameTie.ruleFile, in: directory), contents: Array(rules.joined().utf8),
                    permissions: 0o644), .net, reason)
        }
    }

    /// What ends a file's last line, and with it a rule that would go on in the next.
    private static func lineEnds(_ bytes: [UInt8]) -> String {
        guard let last = TextLine.all(in: bytes).last else { return "" }
        let isContinued = bytes[bytes.trimmed(last.content)].last == .backslash
        return (last.end.isEmpty ? "\n" : "") + (isContinued ? "\n" : "")
    }

    /// A statement that nothing answers to was mistyped, most likely.
    private static func adviseStatements(
        _ plan: AddressPlan, _ network: GuestNetwork, _ draft: inout PlanDraft
    ) {
        for statement in draft.request.addresses {
            switch statement.card {
            case .address(let old):
                let known = network.facts.pins.map(\.address) + plan.cards.compactMap(\.address)
                if !known.contains(old), !known.contains(statement.new) {
                    let unread = network.facts.problems.first { $0.holds(old) }
                    draft.unmetStatement =
                        draft.unmetStatement
                        ?? .cardNotChanged(
                            card: old.text,
                            unread.map {
                                "\($0.file.file.displayPath) has the address, and is not read: \($0.reason)"
                            } ?? "no file of the guest that is read holds the address")
                }
            case .name(let name):
                guard !network.cards.contains(where: { $0.name == name }) else { continue }
                if network.facts.virtual.contains(name) {
                    let ports = network.facts.ports.filter { $0.interface == name }.map(\.card).sorted()
                    draft.unmetStatement =
                        draft.unmetStatement
                        ?? .cardNotChanged(
                            card: name,
                            "it is no card, but made by the guest\(ports.isEmpty ? "" : " of \(ports.joined(separator: ", "))"): say the addresses of cards, or the address that its row has"
                        )
                    continue
                }
                if let alias = network.facts.aliases.first(where: { $0.name == name }) {
                    draft.unmetStatement =
                        draft.unmetStatement
                        ?? .cardNotChanged(
                            card: name,
                            "it is no card's name, but a file's word for the card with the address \(alias.address.text): say that address instead"
                        )
                    continue
                }
                if network.cards.isEmpty {
                    draft.advise(.net, nil, "no file of the guest that can be read names the card \(name)")
                } else {
                    draft.unmetStatement =
                        draft.unmetStatement
                        ?? .cardNotChanged(
                            card: name,
                            "no file of the guest names it; there is \(network.cards.map(\.name).joined(separator: ", "))"
                        )
                }
            }
        }
    }
}
