/// The six bytes that tell an Ethernet card from all others.
package struct HardwareAddress: Hashable, Sendable {
    private let digits: [UInt8]

    /// Reads `00:50:56:aa:bb:01`, the same with "-", `0050.56aa.bb01`, or twelve digits; nil for anything else.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        let separators = bytes.filter { !$0.isHexDigit }
        let groups = bytes.split(omittingEmptySubsequences: false) { !$0.isHexDigit }
        let isEven =
            switch separators.count {
            case 0: groups.count == 1 && bytes.count == 12
            case 2: separators == [.dot, .dot] && groups.allSatisfy { $0.count == 4 }
            case 5:
                (separators.allSatisfy { $0 == .colon } || separators.allSatisfy { $0 == .dash })
                    && groups.allSatisfy { $0.count == 2 }
            default: false
            }
        guard isEven else { return nil }
        digits = groups.joined().map { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "F") ? $0 | 0x20 : $0 }
    }

    /// The address that a name of the kind `enx005056aabb01` holds.
    package init?(cardName name: String) {
        guard name.hasPrefix("enx"), name.utf8.count == 15 else { return nil }
        self.init(String(name.dropFirst(3)))
    }

    /// `00:50:56:aa:bb:01`.
    package var text: String { spelled(grouping: 2, separator: ":", isUpper: false) }

    /// The address in the form that another one is written in: its separators, its case.
    package func text(spelledAs other: String) -> String {
        let bytes = Array(other.utf8)
        let separator = bytes.first { !$0.isHexDigit }
        let isUpper = bytes.contains { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "F") }
        return spelled(
            grouping: separator == .dot ? 4 : 2,
            separator: separator.map { String(UnicodeScalar($0)) } ?? "", isUpper: isUpper)
    }

    /// One card can have it: it is no group's, and not all zeros.
    package var isOfOneCard: Bool {
        let low = digits[1]
        let value = low.isDigit ? low - UInt8(ascii: "0") : low - UInt8(ascii: "a") + 10
        return value & 1 == 0 && digits.contains { $0 != UInt8(ascii: "0") }
    }

    private func spelled(grouping: Int, separator: String, isUpper: Bool) -> String {
        let text = String(decoding: digits, as: UTF8.self)
        let groups = stride(from: 0, to: 12, by: grouping).map { text.dropFirst($0).prefix(grouping) }
        let joined = groups.joined(separator: separator)
        return isUpper ? joined.uppercased() : joined
    }
}

extension UInt8 {
    static let dot = UInt8(ascii: ".")
    static let dash = UInt8(ascii: "-")

    var isHexDigit: Bool {
        isDigit || (self | 0x20 >= UInt8(ascii: "a") && self | 0x20 <= UInt8(ascii: "f"))
    }
}
