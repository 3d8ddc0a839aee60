// Bytes for people. What would steer a terminal, and what is not text, is never shown as it is.

extension Unicode.Scalar {
    /// Shows as a mark of its own: no control character (C1 among them), no line or paragraph separator, nothing
    /// that changes the direction of what follows.
    public var isShown: Bool {
        if (32..<127).contains(value) { return true }
        return switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: false
        // Joiners, which many scripts and pictures need.
        case .format: value == 0x200c || value == 0x200d
        // Those that stand for single bytes in names of the host.
        case .privateUse: !escapedBytes.contains(value)
        default: true
        }
    }
}

extension Collection where Element == UInt8 {
    /// Calls `body` for every scalar of UTF-8, and with nil for every piece that is none.
    func forEachScalar(_ body: (_ scalar: Unicode.Scalar?, _ piece: SubSequence) -> Void) {
        var parser = Unicode.UTF8.ForwardParser()
        var iterator = makeIterator()
        var start = startIndex
        while true {
            let length: Int
            var scalar: Unicode.Scalar?
            switch parser.parseScalar(from: &iterator) {
            case .emptyInput: return
            case .error(let count): length = count
            case .valid(let encoded):
                length = encoded.count
                scalar = Unicode.UTF8.decode(encoded)
            }
            let end = index(start, offsetBy: length, limitedBy: endIndex) ?? endIndex
            body(scalar, self[start..<end])
            start = end
        }
    }

    /// The bytes as text for people: UTF-8 where all of it shows, else every byte that is not printable ASCII as
    /// `\xNN`.
    public var displayText: String {
        var isPlain = true
        // What nearly all of it is needs no look at properties of characters.
        if !allSatisfy({ (32..<127).contains($0) }) {
            forEachScalar { scalar, _ in if scalar?.isShown != true { isPlain = false } }
        }
        if isPlain { return String(decoding: self, as: UTF8.self) }
        return map { byte in
            (32..<127).contains(byte) ? String(UnicodeScalar(byte)) : "\\x" + CollectionOfOne(byte).hexString
        }.joined()
    }

    /// Text of several lines as a terminal may get it: everything that does not show, but for line ends and
    /// tabulators, as `\xNN` for each byte.
    public var terminalText: [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(count)
        forEachScalar { scalar, piece in
            if let scalar, scalar == "\n" || scalar == "\t" || scalar.isShown {
                text += piece
            } else {
                for byte in piece { text += Array("\\x".utf8) + CollectionOfOne(byte).hexDigits }
            }
        }
        return text
    }

    /// A name as ls shows it on a terminal (GNU coreutils, quoting style "shell-escape"): as it is where a shell
    /// takes it so, else quoted for one. A shell makes the same bytes of it again, so that it can be given back as an
    /// argument.
    public var shellText: String {
        var isPlain = !isEmpty
        var isShown = true
        var hasQuote = false
        var isFitForDoubleQuotes = true
        for (index, byte) in enumerated() {
            switch byte {
            case UInt8(ascii: "'"): hasQuote = true
            case UInt8(ascii: "#"), UInt8(ascii: "~"): if index == 0 { isPlain = false }
            case UInt8(ascii: "{"), UInt8(ascii: "}"): if count == 1 { isPlain = false }
            case UInt8(ascii: " "): isPlain = false
            case _ where Self.shellSpecial.contains(byte):
                isPlain = false
                isFitForDoubleQuotes = false
            default: break
            }
        }
        forEachScalar { scalar, _ in if scalar?.isShown != true { isShown = false } }
        let text = String(decoding: self, as: UTF8.self)
        if isShown {
            if isPlain, !hasQuote { return text }
            if !hasQuote { return "'\(text)'" }
            if isFitForDoubleQuotes { return "\"\(text)\"" }
        }
        return Self.shellQuoted(self)
    }

    private static var shellSpecial: [UInt8] { Array("!\"$&()*;<=>?[\\^`|".utf8) }

    /// 'text'$'\nescapes''text'.
    private static func shellQuoted(_ bytes: Self) -> String {
        let letters: [UInt8: String] = [
            7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r",
        ]
        var text = "'"
        var isEscaping = false
        bytes.forEachScalar { scalar, piece in
            guard scalar?.isShown != true else {
                if isEscaping { text += "''" }
                isEscaping = false
                text += scalar == "'" ? "'\\''" : String(decoding: piece, as: UTF8.self)
                return
            }
            if !isEscaping { text += "'$'" }
            isEscaping = true
            for byte in piece {
                let digits = String(byte, radix: 8)
                text += letters[byte] ?? "\\" + String(repeating: "0", count: 3 - digits.count) + digits
            }
        }
        return text + "'"
    }
}
