internal import Patcher
internal import Storage

/// The address that a network card has on the target.
public struct CardAddress: Sendable, Equatable {
    /// The card: its name in the guest ("ens192"), or the address that it had ("00:50:56:aa:bb:01").
    public var card: String
    /// The new address, in hexadecimal with colons or dashes.
    public var address: String

    /// A card and its new address.
    public init(card: String, address: String) {
        self.card = card
        self.address = address
    }

    /// What is said of the cards. Throws `misuse` for what is no address, and for statements that contradict each other.
    static func statements(_ cards: [CardAddress]) throws(StorageError) -> [AddressStatement] {
        var statements: [AddressStatement] = []
        for card in cards {
            guard let new = HardwareAddress(card.address), new.isOfOneCard else {
                throw .misuseOfPlan(
                    .noCardAddress,
                    "\"\(card.address)\" is no network card's address, which is written like 52:54:00:12:34:56"
                )
            }
            let subject: AddressStatement.Card
            if let old = HardwareAddress(card.card) {
                subject = .address(old)
            } else if CardName.isPlain(card.card) {
                subject = .name(card.card)
            } else if CardName.base(card.card) != card.card, CardName.isOfCard(CardName.base(card.card)) {
                throw .misuseOfPlan(
                    .noCardAddress,
                    "\"\(card.card)\" is no card but made of one, and follows it: say the address of \(CardName.base(card.card))"
                )
            } else {
                throw .misuseOfPlan(
                    .noCardAddress, "\"\(card.card)\" is neither a network card's name nor its old address"
                )
            }
            let statement = AddressStatement(card: subject, new: new)
            guard !statements.contains(statement) else { continue }
            guard !statements.contains(where: { $0.card == subject }) else {
                throw .misuseOfPlan(.twoCardAddresses, "two new addresses are given for \(card.card)")
            }
            statements.append(statement)
        }
        for statement in statements {
            // A second run would take the new address for an old one.
            let isOld = statements.contains { $0.card == .address(statement.new) && $0.new != statement.new }
            guard !isOld else {
                throw .misuseOfPlan(
                    .twoCardAddresses,
                    "\(statement.new.text) is given as an old and as a new address; name these cards by their names"
                )
            }
        }
        return statements
    }
}
