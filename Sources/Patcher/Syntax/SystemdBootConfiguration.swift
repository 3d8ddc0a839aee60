/// systemd-boot's loader.conf.
package struct SystemdBootConfiguration: ConfigurationSyntax {
    package static let kind = ConfigurationKind("systemd-boot")
    package static let places: [ConfigurationPlace] = [
        .path("/boot/loader/loader.conf"), .path("/efi/loader/loader.conf"),
        .path("/boot/efi/loader/loader.conf"),
    ]
    package static var isBootLoader: Bool { true }
    package static var showsUEFILoader: Bool { true }

    /// Its rows.
    package let rows: [FieldTable.Row]

    package init(_ bytes: [UInt8], path: String) { rows = FieldTable(bytes).rows }

    /// The pattern that `default` gives, and where it stands.
    package var defaultPattern: (range: Range<Int>, text: String)? {
        rows.first { $0.words[0] == "default" && $0.words.count > 1 }.map { ($0.ranges[1], $0.words[1]) }
    }

    /// systemd-boot's patterns (boot.c, efi_fnmatch), without regard to case: "?", "*", sets in brackets; with or without ".conf".
    static func matches(_ identifier: String, pattern: String) -> Bool {
        let name = Array(identifier.lowercased().utf8)
        let pattern = Array(pattern.lowercased().utf8)
        return matches((name + ".conf".utf8)[...], pattern[...]) || matches(name[...], pattern[...])
    }

    private static func matches(_ text: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
        guard let head = pattern.first else { return text.isEmpty }
        let rest = pattern.dropFirst()
        switch head {
        case UInt8(ascii: "*"):
            // No name is longer than 255 bytes.
            guard text.count <= 255, rest.count <= 255 else { return false }
            if rest.first == head { return matches(text, rest) }
            return (0...text.count).contains { matches(text.dropFirst($0), rest) }
        case UInt8(ascii: "?"): return !text.isEmpty && matches(text.dropFirst(), rest)
        case UInt8(ascii: "["):
            guard let end = rest.dropFirst().firstIndex(of: UInt8(ascii: "]")), let byte = text.first else {
                return false
            }
            return isIn(byte, rest[..<end]) && matches(text.dropFirst(), rest[(end + 1)...])
        case .backslash:
            guard let byte = rest.first else { return false }
            return text.first == byte && matches(text.dropFirst(), rest.dropFirst())
        default: return text.first == head && matches(text.dropFirst(), rest)
        }
    }

    private static func isIn(_ byte: UInt8, _ set: ArraySlice<UInt8>) -> Bool {
        var rest = set
        while let low = rest.popFirst() {
            if rest.first == UInt8(ascii: "-"), let high = rest.dropFirst().first {
                if low <= byte, byte <= high { return true }
                rest = rest.dropFirst(2)
            } else if low == byte {
                return true
            }
        }
        return false
    }
}
