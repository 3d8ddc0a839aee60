extension FixedWidthInteger {
    /// "0x" and the number in lower-case hexadecimal, as offsets are shown in messages.
    public var hex: String { "0x" + String(self, radix: 16) }
}

extension Collection where Element == UInt8 {
    /// Two lower-case hexadecimal digits a byte.
    public var hexString: String {
        String(decoding: hexDigits, as: UTF8.self)
    }

    /// The same as ASCII bytes.
    public var hexDigits: [UInt8] {
        var digits: [UInt8] = []
        digits.reserveCapacity(count * 2)
        for byte in self {
            digits.append(Self.digit(byte >> 4))
            digits.append(Self.digit(byte & 15))
        }
        return digits
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? value + UInt8(ascii: "0") : value - 10 + UInt8(ascii: "a")
    }
}
