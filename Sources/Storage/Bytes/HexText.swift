extension FixedWidthInteger {
    /// "0x" and the number in lower-case hexadecimal, as offsets are shown in messages.
    public var hex: String { "0x" + String(self, radix: 16) }
}

extension Collection where Element == UInt8 {
    /// Two lower-case hexadecimal digits a byte.
    public var hexString: String {
        var text = ""
        text.reserveCapacity(count * 2)
        for byte in self {
            if byte < 16 { text += "0" }
            text += String(byte, radix: 16)
        }
        return text
    }

    /// The bytes as text for people: UTF-8 where it is valid and printable, else `\xNN` for the offending bytes.
    public var displayText: String {
        let whole = String(decoding: self, as: UTF8.self)
        if whole.utf8.elementsEqual(self),
            !whole.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 })
        {
            return whole
        }
        return self.map { byte in
            (32..<127).contains(byte)
                ? String(UnicodeScalar(byte))
                : "\\x" + [UInt8](repeating: byte, count: 1).hexString
        }.joined()
    }
}
