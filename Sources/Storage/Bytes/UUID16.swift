/// A 16-byte UUID. File systems, MBR-era labels and VHD store the bytes in text order; GPT and VHDX store the
/// first three groups little-endian ("mixed-endian", RFC 4122 calls the structure a GUID).
public struct UUID16: Hashable, Sendable, CustomStringConvertible {
    /// The 16 bytes in the order in which the text shows them.
    public let bytes: [UInt8]

    /// From bytes in text order. Nil unless there are exactly 16.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// From 16 mixed-endian bytes (GPT, VHDX) at `offset`. Traps outside the span.
    public init(mixedEndian span: RawSpan, at offset: Int) {
        let raw = span.array(offset..<offset + 16)
        bytes = [raw[3], raw[2], raw[1], raw[0], raw[5], raw[4], raw[7], raw[6]] + raw[8...]
    }

    /// From bytes in text order at `offset`. Traps outside the span.
    public init(textOrder span: RawSpan, at offset: Int) {
        bytes = span.array(offset..<offset + 16)
    }

    /// From the usual text, upper or lower case, with dashes; nil for anything else.
    public init?(text: String) {
        var parsed: [UInt8] = []
        var high: UInt8?
        let digits = Array(text.utf8)
        guard digits.count == 36 else { return nil }
        for (index, digit) in digits.enumerated() {
            if [8, 13, 18, 23].contains(index) {
                guard digit == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let value = Character(UnicodeScalar(digit)).hexDigitValue else { return nil }
            if let first = high {
                parsed.append(first << 4 | UInt8(value))
                high = nil
            } else {
                high = UInt8(value)
            }
        }
        bytes = parsed
    }

    /// The bytes in mixed-endian order, as GPT and VHDX store them.
    public var mixedEndianBytes: [UInt8] {
        [bytes[3], bytes[2], bytes[1], bytes[0], bytes[5], bytes[4], bytes[7], bytes[6]] + bytes[8...]
    }

    /// All bits zero, which most structures use for "none".
    public var isZero: Bool { bytes.allSatisfy { $0 == 0 } }

    /// Lower-case text with dashes, as blkid prints it.
    public var description: String {
        let text = bytes.hexString
        var parts: [Substring] = []
        var rest = Substring(text)
        for length in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return parts.joined(separator: "-")
    }

    /// A random (version 4) UUID.
    public static func random() throws(StorageError) -> UUID16 {
        var raw = try SystemRandom.bytes(16)
        raw[6] = raw[6] & 0x0f | 0x40
        raw[8] = raw[8] & 0x3f | 0x80
        return UUID16(unchecked: raw)
    }

    private init(unchecked bytes: [UInt8]) { self.bytes = bytes }
}
