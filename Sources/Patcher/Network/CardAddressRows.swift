internal import GuestTree

/// Rows that hold for a card by its address, or by what else the old machine had: they are listed, whether or not cards are
/// repaired.
enum CardAddressRows: PlanStep {
    static let repair = Repair.net
    static let after: [any PlanStep.Type] = [CardNames.self]

    static func contribute(to draft: inout PlanDraft) {
        let network = draft.guest.network
        let plan = AddressPlan(network, draft.request.addresses)
        for pin in network.facts.pins {
            // What the user has said of the new address needs no word more.
            let isChanged = draft.request.wants(.net) && plan.newAddress(of: pin) != nil
            guard !isChanged, !plan.isStated(pin.address) else { continue }
            draft.advise(.net, pin.file, sentence(pin, draft.target))
        }
        for remark in network.facts.remarks
        where remark.condition?.isMet(on: draft.target, byAny: false) != true {
            draft.advise(.net, remark.file, remark.sentence)
        }
        for pattern in network.facts.patterns where mayMiss(pattern, draft) {
            draft.advise(
                .net, pattern.file,
                "\(pattern.setting) “\(pattern.text)” chooses cards by their names: the new card's name may not fit it"
            )
        }
        for problem in network.facts.problems {
            draft.advise(
                .net, problem.file,
                "the file is not read (\(problem.reason)): see to its network cards by hand")
        }
        adviseOrder(network, &draft)
    }

    private static func sentence(_ pin: NetworkFacts.Pin, _ target: Target) -> Sentence {
        let owner = pin.name.map { " of \($0)" } ?? ""
        if let condition = pin.conditions.first(where: { !$0.isMet(on: target, byAny: false) }) {
            return
                "\(pin.setting)\(owner) is \(pin.text), and the row asks for \(condition.words) too, which the new card will not have: it holds for none"
        }
        let new: Sentence = "\(remedy: .stateAddress(pin.text)) changes it"
        switch pin.role {
        case .matches:
            return "\(pin.setting)\(owner) is \(pin.text): the new card must have that address, or \(new)"
        case .names:
            return
                "\(pin.setting) \(pin.text) gives the name\(pin.name.map { " \($0)" } ?? ""): the new card must have that address, or \(new)"
        case .sets:
            return
                "\(pin.setting)\(owner) gives the card the address \(pin.text), which the target must let pass; \(new)"
        }
    }

    /// The names that cards get on the target may not fit a pattern. Where the guest's ways are not known, either kind may come.
    private static func mayMiss(_ pattern: NetworkFacts.Pattern, _ draft: PlanDraft) -> Bool {
        if draft.namesCardsByPlace { return CardName.mayMiss(pattern.patterns, byPlace: true) }
        let mayStay = CardName.mayMiss(pattern.patterns, byPlace: false)
        return draft.keepsKernelNames ? mayStay : mayStay && CardName.mayMiss(pattern.patterns, byPlace: true)
    }

    /// Several cards whose names nothing holds are told apart by the order in which the kernel finds them.
    private static func adviseOrder(_ network: GuestNetwork, _ draft: inout PlanDraft) {
        let loose = network.cards.filter { CardName.isByKernel($0.name) && $0.addresses.isEmpty }
        guard loose.count > 1, !draft.namesCardsByPlace else { return }
        draft.advise(
            Advice(
                repair: .net, path: loose.first?.files.first?.file.displayPath,
                message:
                    "\(loose.map(\.name).joined(separator: ", ")) are numbered in the order in which the kernel finds the cards: attach them in their order",
                isMinor: true))
    }
}
