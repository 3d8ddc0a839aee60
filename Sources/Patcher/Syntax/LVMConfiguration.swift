/// The device filters of lvm.conf (lvm.conf(5)): `filter = [ "a|regex|", "r|regex|" ]`, the first match deciding.
package struct LVMConfiguration: Sendable, Equatable {
    /// One filter.
    package struct Filter: Sendable, Equatable {
        /// `filter` or `global_filter`.
        package var name: String
        /// Where a pattern can be put before all others.
        package var insertionPoint: Int
        /// The value is a list in brackets.
        package var isList: Bool
        /// The patterns in order.
        package var patterns: [Pattern]

        /// Whether LVM looks at a device. A device that no pattern names is looked at.
        package func accepts(_ device: String) -> Bool {
            for pattern in patterns {
                // A pattern that cannot be read here is taken not to match.
                if let expression = RegularExpression(pattern.expression),
                    expression.matches(Array(device.utf8))
                {
                    return pattern.accepts
                }
            }
            return true
        }
    }

    /// One pattern.
    package struct Pattern: Sendable, Equatable {
        /// "a": matching devices are looked at; "r": they are not.
        package var accepts: Bool
        /// The regular expression.
        package var expression: String
    }

    /// The filters that are in force.
    package var filters: [Filter] = []
    /// `use_devicesfile = 0`.
    package var ignoresDevicesFile = false

    /// Reads a file.
    package init(_ bytes: [UInt8]) {
        for line in TextLine.all(in: bytes) {
            let text = bytes.trimmed(line.content)
            guard let first = bytes[text].first, first != .hash,
                let equals = bytes[text].firstIndex(of: .equals)
            else { continue }
            let key = bytes.text(bytes.trimmed(text.lowerBound..<equals))
            let name = key.split(separator: "/").last.map(String.init) ?? key
            let value = bytes.trimmed(equals + 1..<text.upperBound)
            if name == "use_devicesfile" { ignoresDevicesFile = bytes.text(value).hasPrefix("0") }
            guard name == "filter" || name == "global_filter", let open = bytes[value].first else { continue }
            let isList = open == UInt8(ascii: "[")
            // A list may run over several lines.
            let end = isList ? bytes.count : value.upperBound
            let (patterns, firstQuote) = Self.patterns(bytes, value.lowerBound..<end, isList)
            filters.append(
                Filter(
                    name: name, insertionPoint: firstQuote ?? value.lowerBound + (isList ? 1 : 0),
                    isList: isList,
                    patterns: patterns))
        }
    }

    /// The quoted patterns up to the closing bracket.
    private static func patterns(_ bytes: [UInt8], _ range: Range<Int>, _ isList: Bool) -> ([Pattern], Int?) {
        var patterns: [Pattern] = []
        var firstQuote: Int?
        var index = range.lowerBound
        while index < range.upperBound {
            switch bytes[index] {
            case UInt8(ascii: "]"): return (patterns, firstQuote)
            case .newline where !isList: return (patterns, firstQuote)
            case .hash:
                while index < range.upperBound, bytes[index] != .newline { index += 1 }
            case .doubleQuote:
                firstQuote = firstQuote ?? index
                var end = index + 1
                var raw: [UInt8] = []
                while end < range.upperBound, bytes[end] != .doubleQuote {
                    if bytes[end] == .backslash, end + 1 < range.upperBound { end += 1 }
                    raw.append(bytes[end])
                    end += 1
                }
                if let pattern = pattern(raw) { patterns.append(pattern) }
                index = end + 1
                continue
            default: break
            }
            index += 1
        }
        return (patterns, firstQuote)
    }

    /// `a|…|`, `r/…/`: a letter, a delimiter, the expression, the delimiter. Brackets close each other.
    private static func pattern(_ raw: [UInt8]) -> Pattern? {
        guard raw.count >= 3, raw[0] == UInt8(ascii: "a") || raw[0] == UInt8(ascii: "r") else { return nil }
        let closings: [UInt8: UInt8] = [
            UInt8(ascii: "("): UInt8(ascii: ")"), UInt8(ascii: "["): UInt8(ascii: "]"),
            UInt8(ascii: "{"): UInt8(ascii: "}"),
        ]
        let closing = closings[raw[1]] ?? raw[1]
        guard let end = raw.lastIndex(of: closing), end >= 2 else { return nil }
        return Pattern(
            accepts: raw[0] == UInt8(ascii: "a"), expression: String(decoding: raw[2..<end], as: UTF8.self))
    }
}

extension LVMConfiguration: ConfigurationSyntax {
    package static let kind = ConfigurationKind("lvm")
    package static let places: [ConfigurationPlace] = [
        .path("/etc/lvm/lvm.conf"), .path("/etc/lvm/lvmlocal.conf"),
    ]

    package init(_ bytes: [UInt8], path: String) { self.init(bytes) }
}
