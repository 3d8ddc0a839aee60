internal import GuestTree
internal import Storage

/// What is done for one card.
struct CardRepair {
    let card: AddressPlan.Card
    let plan: AddressPlan
    let network: GuestNetwork
    let tie: NameTie

    private var name: String { card.card.name }

    /// Makes all of the card's changes or none, and says what is left to do.
    func run(_ draft: inout PlanDraft, _ rules: inout [String]) {
        let changes = plan.changes(of: card, among: network.facts.pins)
        let isWanted = needsTie(draft) && !isTied(draft)
        guard isWanted || !changes.isEmpty || card.conflict != nil else { return }
        if let conflict = card.conflict {
            return leave(&draft, conflict)
        }
        if let obstacle = Self.demand(of: name, card.known + card.card.addresses, network, draft.target) {
            return leave(&draft, obstacle)
        }
        guard draft.request.wants(.net) else {
            if isWanted { adviseName(&draft) }
            return
        }
        guard let address = card.address else { return adviseName(&draft) }
        var trial = draft
        var line: [String] = []
        var problem = Self.changeAddresses(changes, plan, network, &trial)
        if problem == nil, isWanted { problem = tieName(to: address, &trial, &line) }
        if let problem {
            return leave(&draft, problem)
        }
        draft = trial
        rules += line
        adviseOrder(address, isWanted, &draft)
    }

    // MARK: What is so already

    /// The name would not come by itself.
    private func needsTie(_ draft: PlanDraft) -> Bool {
        card.isStated || CardName.isByPlace(name) || isNamedByTheOldMachine(draft.target)
            || CardName.isByKernel(name) && draft.namesCardsByPlace
    }

    /// A row gave it the name that the new machine's card does not meet.
    private func isNamedByTheOldMachine(_ target: Target) -> Bool {
        card.card.pins.contains { pin in
            pin.role == .names && !pin.conditions.allSatisfy { $0.isMet(on: target, byAny: false) }
        }
    }

    /// A row gives the card this name by the address that it will have.
    private func isTied(_ draft: PlanDraft) -> Bool {
        card.card.pins.contains { pin in
            guard (plan.newAddress(of: pin) ?? pin.address) == card.address else { return false }
            guard pin.conditions.allSatisfy({ $0.isMet(on: draft.target, byAny: false) }) else {
                return false
            }
            return pin.role == .names
                || draft.guest.renamesByHWADDR && pin.setting == "HWADDR" && pin.role == .matches
        }
    }

    // MARK: Changes

    /// What the card's settings are tied to and no card of the target has: neither its name nor its address would bring
    /// them back.
    static func demand(
        of name: String?, _ addresses: [HardwareAddress], _ network: GuestNetwork, _ target: Target
    ) -> Sentence? {
        let unmet = network.facts.demands.first { demand in
            (demand.name != nil && demand.name == name || demand.address.map(addresses.contains) ?? false)
                && !demand.condition.isMet(on: target, byAny: true)
        }
        return unmet.map {
            "its settings in \($0.file.file.displayPath) ask for \($0.condition.words) too, which no card of \(target.hypervisor.title) has: take that out there"
        }
    }

    /// Gives rows the new addresses. Says what stands in the way of any: the draft is worth nothing then.
    static func changeAddresses(
        _ pins: [NetworkFacts.Pin], _ plan: AddressPlan, _ network: GuestNetwork, _ draft: inout PlanDraft
    ) -> Sentence? {
        var places: Set<SiteKey> = []
        for pin in pins {
            guard let new = plan.newAddress(of: pin) else { continue }
            // Several rows may be one, by an alias.
            if let range = pin.range,
                !places.insert(SiteKey(file: pin.file.file.key, offset: range.lowerBound)).inserted
            {
                continue
            }
            let text = new.text(spelledAs: pin.text)
            if let unread = network.facts.problems.first(where: { $0.holds(pin.address) }) {
                return
                    "\(unread.file.file.displayPath) has \(pin.text) too, and is not read: \(unread.reason)"
            }
            if let range = pin.range {
                if let obstacle = draft.obstacle(to: .contents, on: pin.file.file.volume) {
                    return obstacle.sentence
                }
                guard
                    draft.edit(
                        pin.file, range, text, .net, "the new card has the address \(new.text)")
                else {
                    return "its address in \(pin.file.file.displayPath) is changed for another reason too"
                }
            } else if let problem = rename(pin, text, &draft) {
                return problem
            }
        }
        return nil
    }

    /// The address stands in the file's own name.
    private static func rename(_ pin: NetworkFacts.Pin, _ text: String, _ draft: inout PlanDraft) -> Sentence?
    {
        let path = pin.file.path
        guard let slash = path.lastIndex(of: "/"),
            let directory = draft.guest.inspection.network.cardDirectories[String(path[..<slash])],
            let place = path.range(of: pin.text)
        else { return "\(path) cannot be renamed here" }
        let name = String(path[path.index(after: slash)...])
        let new = path.replacingCharacters(of: place, with: text).dropFirst(
            path.distance(from: path.startIndex, to: slash) + 1)
        let old = NamePlace(name, in: directory)
        guard old.path == pin.file.file.path else {
            return "\(path) is a link to \(pin.file.file.displayPath)"
        }
        guard !draft.guest.files.contains(where: { $0.path == path[...slash] + new }) else {
            return "\(path[...slash])\(new) is there already"
        }
        if let obstacle = draft.obstacle(to: .names, on: directory.volume) { return obstacle.sentence }
        draft.add(
            .rename(old, to: Array(new.utf8)), .net, "the new card has the address \(text)")
        return nil
    }

    /// Ties the name to the address. Says what stands in the way.
    private func tieName(
        to address: HardwareAddress, _ draft: inout PlanDraft, _ rules: inout [String]
    ) -> Sentence? {
        guard CardName.isPlain(name) else { return "the name cannot be written into udev's files" }
        let surroundings = draft.guest.inspection.network
        switch tie {
        case .none(let reason): return reason
        case .rule:
            let file = draft.guest.files(NetRules.self).first { $0.syntax.isPersistent }?.file.file
            guard let volume = file?.volume ?? surroundings.ruleDirectory?.directory.volume else {
                return "/etc/udev/rules.d is no directory"
            }
            if let obstacle = draft.obstacle(to: file == nil ? .names : .contents, on: volume) {
                return obstacle.sentence
            }
            rules.append(NameTie.ruleText(name, address))
        case .link:
            let file = NameTie.linkFile(name)
            guard let directory = surroundings.linkDirectory else {
                return "/etc/systemd/network is no directory"
            }
            guard !surroundings.takenNames.contains(file) else { return "\(file) is there already" }
            if let obstacle = draft.obstacle(to: .names, on: directory.directory.volume) {
                return obstacle.sentence
            }
            if let other = otherLink(address, before: file, draft.guest, on: draft.target) {
                return
                    "\(other) fits the card too, and only the first such file counts: give it Name=\(name) there"
            }
            draft.add(
                .create(
                    NamePlace(file, in: directory), contents: Array(NameTie.linkText(name, address).utf8),
                    permissions: 0o644), .net,
                "the card with the address \(address.text) keeps the name \(name)")
        }
        return nil
    }

    /// A .link file that is read instead, or whose settings for this very card would be lost.
    private func otherLink(
        _ address: HardwareAddress, before name: String, _ guest: LinuxSystem, on target: Target
    ) -> String? {
        guest.files(NetworkdFile.self).first { file in
            guard file.syntax.isLink, file.syntax.mayFit(address, in: file.file.bytes, on: target) else {
                return false
            }
            return file.syntax.fileName < name
                || network.facts.pins.contains {
                    $0.file.file.key == file.file.file.key && $0.address == address && $0.role != .names
                }
        }?.file.file.displayPath
    }

    // MARK: Words

    /// Nothing of the card is changed. What the user asked for by its name or address is refused then.
    private func leave(_ draft: inout PlanDraft, _ reason: Sentence) {
        if card.isStated || card.known.contains(where: plan.isMoved) {
            draft.unmetStatement = draft.unmetStatement ?? .cardNotChanged(card: name, reason)
        }
        advise(&draft, "the network card \(name) is left as it is in all files: \(reason)")
    }

    private func advise(_ draft: inout PlanDraft, _ sentence: Sentence) {
        draft.advise(.net, card.card.files.first, sentence)
    }

    /// The name will not come back by itself.
    private func adviseName(_ draft: inout PlanDraft) {
        let will: Sentence =
            "the network card \(name) \(draft.guest.resolver.presentation.hypervisor == draft.hypervisor ? "may" : "will") have another name on \(draft.hypervisor.title)"
        switch (card.address, draft.request.wants(.net)) {
        case (let address?, _):
            advise(&draft, "\(will); \(remedy: .ask(.net)) keeps it by the card's address, \(address.text)")
        case (nil, true):
            advise(
                &draft,
                "\(will), and is not changed: its address is in no file; \(remedy: .stateAddress(name)) keeps the name"
            )
        case (nil, false):
            advise(
                &draft,
                "\(will), and its address is in no file; \(remedy: .stateAddress(name)) keeps the name")
        }
    }

    /// Names of the kernel's own kind cannot change places between cards.
    private func adviseOrder(_ address: HardwareAddress, _ isTiedNow: Bool, _ draft: inout PlanDraft) {
        guard isTiedNow, CardName.isByKernel(name), tie == .link,
            plan.cards.count(where: { CardName.isByKernel($0.card.name) }) > 1
        else { return }
        draft.advise(
            .net, nil,
            "eth0, eth1… are the kernel's own names, which cards cannot exchange: attach the cards in their order"
        )
    }
}

extension String {
    /// The text with a part of it replaced.
    func replacingCharacters(of range: Range<String.Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}

extension LinuxSystem {
    /// Red Hat's scripts up to 6 give a card its name by HWADDR.
    var renamesByHWADDR: Bool {
        release.map { $0.family == .redHat && !$0.countsOtherwise && $0.major ?? 7 <= 6 } ?? false
    }
}

extension PlanDraft {
    /// The target's cards have no place by which they could be named, or the guest's udev may not.
    var keepsKernelNames: Bool {
        [Hypervisor.hyperv, .azure, .xenserver].contains(hypervisor)
            || guest.inspection.network.keepsKernelNames
    }

    /// Cards get names by their place on the target: the guest's udev gives such, nobody has forbidden it, and the target's
    /// cards have a place.
    var namesCardsByPlace: Bool {
        guard !keepsKernelNames, let release = guest.release,
            let major = release.major
        else { return false }
        let isNew =
            switch release.family {
            case .redHat:
                switch release.distribution {
                case .fedora: major >= 19
                // Its releases before 2, called by their years, start without systemd.
                case .amazon: major == 2 || major >= 2022
                case .openSUSE, .other: major >= 7
                }
            case .debian: major >= 9
            case .ubuntu: major >= 16
            default: false
            }
        return isNew
            && !guest.commandLines.contains { place in
                place.line.arguments.contains { place.file.bytes.text($0.range) == "net.ifnames=0" }
            }
    }
}
