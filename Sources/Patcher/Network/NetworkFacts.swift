/// What files of network configuration say of cards.
package struct NetworkFacts: Sendable {
    /// A card's name in a file.
    package struct Use: Sendable {
        /// The name, without an alias's or VLAN's number.
        package var name: String
        /// Where it stands.
        package var file: ScannedFile
    }

    /// A row that holds for the card with a certain address.
    package struct Pin: Sendable {
        /// What the row is for.
        package enum Role: Sendable {
            /// It chooses the card: what stands beside it holds for the card with that address.
            case matches
            /// It gives the card with that address its name.
            case names
            /// It gives the card that address, whatever its own is.
            case sets
        }

        /// The address.
        package var address: HardwareAddress
        /// As it is written.
        package var text: String
        /// Its bytes; nil where it stands in the file's own name.
        package var range: Range<Int>?
        /// The interface that it is about; nil where the row names none.
        package var name: String?
        /// What it is for.
        package var role: Role
        /// The word that it stands under, for people: `HWADDR`.
        package var setting: String
        /// The file.
        package var file: ScannedFile
        /// What it asks for besides: it holds where the card meets all of it.
        package var conditions: [CardCondition] = []
    }

    /// Something that the settings of a card are tied to besides its name and address: without it none of them holds.
    package struct Demand: Sendable {
        /// The card's name, where the row has one.
        package var name: String?
        /// Its address, where the row has one.
        package var address: HardwareAddress?
        /// What is asked for.
        package var condition: CardCondition
        /// The file.
        package var file: ScannedFile
    }

    /// A card of which an interface is made.
    package struct Port: Hashable, Sendable {
        /// The bridge, bond or VLAN.
        package var interface: String
        /// The card's name.
        package var card: String
    }

    /// A setting that chooses cards by a pattern of their names.
    package struct Pattern: Sendable {
        /// The file.
        package var file: ScannedFile
        /// The word that it stands under, for people.
        package var setting: String
        /// As it is written.
        package var text: String
        /// The patterns, of which one is to fit; none where they are of a kind that is not compared here.
        package var patterns: [String]
    }

    /// A word of a file's own for the card with an address.
    package struct Alias: Sendable {
        /// The word.
        package var name: String
        /// The address.
        package var address: HardwareAddress
    }

    /// Something that is tied to the old machine otherwise, or cannot be read.
    package struct Remark: Sendable {
        /// The file.
        package var file: ScannedFile
        /// The sentence.
        package var sentence: Sentence
        /// It is not said where the target's usual card meets this.
        package var condition: CardCondition?
    }

    /// A file that cannot be read as a whole.
    package struct Problem: Sendable {
        /// The file.
        package var file: ScannedFile
        /// Why, with the line.
        package var reason: String

        /// The address stands in it, as it is or in other letters and separators.
        func holds(_ address: HardwareAddress) -> Bool {
            let text = file.text.lowercased()
            return [address.text, address.text.replacing(":", with: "-")].contains { text.contains($0) }
        }
    }

    /// The cards' names.
    package var uses: [Use] = []
    /// The rows with addresses.
    package var pins: [Pin] = []
    /// Interfaces that are made by the guest itself: bridges, bonds, VLANs.
    package var virtual: Set<String> = []
    /// What these are made of.
    package var ports: Set<Port> = []
    /// What settings of cards are tied to besides names and addresses.
    package var demands: [Demand] = []
    /// Further things to say.
    package var remarks: [Remark] = []
    /// What chooses cards by patterns.
    package var patterns: [Pattern] = []
    /// What is no name of a card, and stands for one.
    package var aliases: [Alias] = []
    /// What cannot be read.
    package var problems: [Problem] = []

    /// No facts.
    package init() {}

    /// Those of another family beside these.
    package mutating func add(_ other: NetworkFacts) {
        uses += other.uses
        pins += other.pins
        virtual.formUnion(other.virtual)
        ports.formUnion(other.ports)
        demands += other.demands
        remarks += other.remarks
        patterns += other.patterns
        aliases += other.aliases
        problems += other.problems
    }

    /// Notes a card, or the card below an alias or VLAN.
    mutating func use(_ name: String, _ file: ScannedFile) {
        let base = CardName.base(name)
        guard !base.isEmpty else { return }
        uses.append(Use(name: base, file: file))
    }

    /// Notes that an interface is made of a card, or of an alias or VLAN of it, among others.
    mutating func join(_ card: String, to interface: String?) {
        guard let interface, !card.isEmpty, !interface.isEmpty else { return }
        ports.insert(Port(interface: interface, card: CardName.base(card)))
    }

    /// Notes what names and patterns of names (`ens192`, `ens19*`, `ens*`) choose, of which one is to fit.
    mutating func use(patterns: [String], _ setting: String, _ file: ScannedFile) {
        for pattern in patterns { use(pattern: pattern, setting, file) }
        let isOpen = patterns.contains {
            CardName.fixed(inPattern: $0) == nil && CardName.isParticular($0) && !$0.hasPrefix("!")
        }
        // What is not to fit leaves any other name.
        guard isOpen, patterns.first?.hasPrefix("!") == false else { return }
        self.patterns.append(
            Pattern(
                file: file, setting: setting, text: patterns.joined(separator: " "),
                patterns: patterns.filter { !$0.hasPrefix("!") }))
    }

    private mutating func use(pattern: String, _ setting: String, _ file: ScannedFile) {
        guard !pattern.hasPrefix("!"), let fixed = CardName.fixed(inPattern: pattern) else { return }
        if CardName.isOfCard(CardName.base(fixed)) {
            use(fixed, file)
        } else if fixed.contains(where: { "*?[".contains($0) }) {
            hardware(file, setting, fixed)
        }
    }

    /// Notes a row with an address, or says that it is none.
    mutating func pin(
        _ text: String, _ range: Range<Int>?, of name: String?, _ role: Pin.Role, _ setting: String,
        _ file: ScannedFile, conditions: [CardCondition] = []
    ) {
        guard let address = HardwareAddress(text) else {
            if !text.isEmpty {
                remark(file, "\(setting) “\(text)” is no hardware address that can be read here")
            }
            return
        }
        pins.append(
            Pin(
                address: address, text: text, range: range, name: name, role: role, setting: setting,
                file: file, conditions: conditions))
    }

    /// Notes something to say.
    mutating func remark(_ file: ScannedFile, _ sentence: Sentence) {
        remarks.append(Remark(file: file, sentence: sentence))
    }

    /// Notes a setting that chooses a card by its bus, slot or driver.
    mutating func hardware(_ file: ScannedFile, _ setting: String, _ value: String) {
        remark(
            file,
            "\(setting) “\(value)” chooses a card by what the old machine had: it will not fit the new one")
    }

    /// The same, of what may be met on the target.
    mutating func hardware(_ file: ScannedFile, _ condition: CardCondition) {
        hardware(file, condition.setting, condition.value)
        remarks[remarks.count - 1].condition = condition
    }

    /// Notes that a card's settings are tied to something, for the card of that name, or of each of these addresses.
    mutating func demand(
        _ condition: CardCondition, of name: String?, _ addresses: [HardwareAddress], _ file: ScannedFile
    ) {
        if let name { demands.append(Demand(name: name, condition: condition, file: file)) }
        for address in addresses {
            demands.append(Demand(name: name, address: address, condition: condition, file: file))
        }
    }
}

/// A family of network configuration: a syntax whose files say together what the cards are called.
package protocol NetworkSyntax: ConfigurationSyntax {
    /// What all files of the family say together.
    static func facts(of files: [ParsedFile<Self>]) -> NetworkFacts
}

extension NetworkSyntax {
    package static var network: (any NetworkSyntax.Type)? { self }
    package static var isNeededToBoot: Bool { false }
}

extension ConfigurationSyntaxes {
    /// Every family of network configuration.
    package static let networks: [any NetworkSyntax.Type] = all.compactMap { $0.network }
}
