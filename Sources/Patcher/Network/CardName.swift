/// What a network interface's name tells of the card behind it.
package enum CardName {
    /// Names by the card's place: `ens192`, `enp0s3`, `eno1`, `em1`, `p1p1`. They change with the machine.
    package static func isByPlace(_ name: String) -> Bool {
        if isNumbered(name, after: "em") { return true }
        if name.first == "p", name.dropFirst().first?.isNumber == true {
            let pieces = name.dropFirst().split(separator: "p", omittingEmptySubsequences: false)
            return pieces.count == 2 && pieces.allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isNumber) }
        }
        guard name.hasPrefix("en"), let kind = name.dropFirst(2).first else { return false }
        let rest = name.dropFirst(3)
        if kind == "x" { return HardwareAddress(cardName: name) != nil }
        return "osPpbcaivuX".contains(kind) && rest.first?.isNumber == true
            && rest.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
    }

    /// The kernel's own names, in the order in which it finds the cards: `eth0`.
    package static func isByKernel(_ name: String) -> Bool { isNumbered(name, after: "eth") }

    /// A name that a card has without anybody having chosen it.
    package static func isOfCard(_ name: String) -> Bool { isByPlace(name) || isByKernel(name) }

    /// The card's own name where an alias (`eth0:1`) or a VLAN (`eth0.100`) is named.
    package static func base(_ name: String) -> String {
        String(name.prefix { $0 != ":" && $0 != "." && $0 != "@" })
    }

    /// The card's name that a pattern (`ens19*`, `en*`) stands for; nil where it fits every card's name.
    package static func fixed(inPattern pattern: String) -> String? {
        guard pattern.contains(where: { "*?[!".contains($0) }) else { return pattern }
        let head = pattern.prefix { !"*?[!".contains($0) }
        return head.contains(where: \.isNumber) ? pattern : nil
    }

    /// A pattern has letters or digits of its own: it does not fit whatever there is.
    static func isParticular(_ pattern: String) -> Bool {
        pattern.contains { !"*?[!-]".contains($0) }
    }

    /// Whether patterns of which one is to fit may miss a card: the names are those that cards get by their place, or the
    /// kernel's own.
    static func mayMiss(_ patterns: [String], byPlace: Bool) -> Bool {
        let samples = byPlace ? ["ens3", "ens192", "enp1s0", "enp6s18"] : ["eth0", "eth1"]
        return !samples.allSatisfy { name in
            patterns.contains { NamePattern.fits(Array($0.utf8)[...], Array(name.utf8)[...]) }
        }
    }

    /// What can be an interface's name and stand unquoted in every file that is written here.
    package static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 15
            && name.utf8.allSatisfy { $0.isNameCharacter || $0 == .dash }
    }

    private static func isNumbered(_ name: String, after prefix: String) -> Bool {
        name.hasPrefix(prefix) && name.utf8.count > prefix.utf8.count
            && name.dropFirst(prefix.count).allSatisfy { $0.isASCII && $0.isNumber }
    }
}
