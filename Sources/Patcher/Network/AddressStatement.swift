/// What a user says of a card's address on the target.
package struct AddressStatement: Sendable, Hashable {
    /// Whose address it is.
    package enum Card: Sendable, Hashable {
        /// The card of that name.
        case name(String)
        /// The card that had that address.
        case address(HardwareAddress)
    }

    /// The card.
    package var card: Card
    /// The address that it has on the target.
    package var new: HardwareAddress

    /// A statement.
    package init(card: Card, new: HardwareAddress) {
        self.card = card
        self.new = new
    }
}
