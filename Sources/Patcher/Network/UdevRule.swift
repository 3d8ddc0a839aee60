/// One rule of udev: `KEY=="value", KEY{attribute}=="value", NAME="value"`.
struct UdevRule: Sendable {
    /// One match or assignment.
    struct Term: Sendable {
        /// `ATTR{address}`.
        var key: String
        /// `==`, `!=`, `=`, `+=`, `:=`.
        var operation: String
        /// The value's bytes, without quotes.
        var range: Range<Int>
        /// The value.
        var text: String

        var isMatch: Bool { operation == "==" || operation == "!=" }

        /// What it asks of a card, of which `|` parts the patterns.
        var condition: CardCondition {
            let isDriver = ["DRIVER", "DRIVERS"].contains(key)
            let patterns = isDriver ? text.split(separator: "|").map(String.init) : []
            return operation == "!="
                ? CardCondition(setting: key, value: "!" + text, others: patterns)
                : CardCondition(setting: key, value: text, drivers: patterns)
        }
    }

    /// Its terms, in order.
    var terms: [Term] = []

    /// The rules of a file. A line that ends with a backslash goes on in the next one.
    static func all(in bytes: [UInt8]) -> [UdevRule] {
        var rules: [UdevRule] = []
        var isContinued = false
        for line in TextLine.all(in: bytes) {
            let content = bytes.trimmed(line.content)
            let isComment = bytes[content].first == .hash
            if !isContinued || isComment { rules.append(UdevRule()) }
            isContinued = bytes[content].last == .backslash
            guard !isComment, !rules.isEmpty else { continue }
            rules[rules.count - 1].terms += Self.terms(bytes, content)
        }
        return rules.filter { !$0.terms.isEmpty }
    }

    private static func terms(_ bytes: [UInt8], _ line: Range<Int>) -> [Term] {
        var terms: [Term] = []
        var position = line.lowerBound
        while position < line.upperBound {
            if bytes[position].isBlank || bytes[position] == .comma {
                position += 1
                continue
            }
            let start = position
            var isInBraces = false
            while position < line.upperBound, isInBraces || !"=!+:-".utf8.contains(bytes[position]) {
                if bytes[position] == UInt8(ascii: "{") { isInBraces = true }
                if bytes[position] == UInt8(ascii: "}") { isInBraces = false }
                position += 1
            }
            let key = bytes.text(bytes.trimmed(start..<position))
            let mark = position
            while position < line.upperBound, "=!+:-".utf8.contains(bytes[position]) { position += 1 }
            let operation = bytes.text(mark..<position)
            while position < line.upperBound, bytes[position].isBlank { position += 1 }
            guard position < line.upperBound, bytes[position] == .doubleQuote,
                let end = bytes[(position + 1)..<line.upperBound].firstIndex(of: .doubleQuote)
            else { return terms }
            terms.append(
                Term(
                    key: key, operation: operation, range: position + 1..<end,
                    text: bytes.text(position + 1..<end)))
            position = end + 1
        }
        return terms
    }

    /// The first match of a key.
    func match(_ keys: Set<String>) -> Term? { terms.first { keys.contains($0.key) && $0.operation == "==" } }

    /// The name that it gives a network card, and whether it is written out.
    var givenName: (text: String, isPlain: Bool)? {
        for term in terms where !term.isMatch {
            if term.key == "NAME", !term.text.isEmpty { return (term.text, CardName.isPlain(term.text)) }
            let words = term.text.split(separator: " ").map(String.init)
            // SUSE's way before udev could rename: IMPORT="/lib/udev/rename_netiface %k eth0".
            if ["IMPORT", "PROGRAM", "RUN"].contains(where: { term.key.hasPrefix($0) }),
                words.first?.hasSuffix("rename_netiface") == true, let name = words.last, words.count == 3
            {
                return (name, CardName.isPlain(name))
            }
        }
        return nil
    }

    /// The address that a card must have.
    var address: Term? {
        match(["ATTR{address}", "ATTRS{address}", "SYSFS{address}", "ATTR{permaddr}"])
    }

    /// It is about network cards.
    var isOfCards: Bool {
        let kernel = match(["KERNEL"])?.text ?? ""
        return match(["SUBSYSTEM", "SUBSYSTEMS"])?.text == "net" || address != nil
            || kernel.hasPrefix("eth") || kernel.hasPrefix("en")
    }

    /// Matches that ask for the old machine's slot or driver.
    var hardware: [Term] {
        terms.filter { term in
            if ["DRIVER", "DRIVERS"].contains(term.key), term.isMatch {
                return CardName.isParticular(term.text) && !term.text.split(separator: "|").contains("*")
            }
            guard term.operation == "==" else { return false }
            return [
                "KERNELS", "ID", "BUS", "DEVPATH", "ENV{ID_PATH}", "ENV{ID_NET_NAME_PATH}",
                "ENV{ID_NET_NAME_SLOT}",
            ]
            .contains(term.key)
        }
    }
}
