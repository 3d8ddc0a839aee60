/// interfaces(5) of Debian and Alpine.
package struct Interfaces: NetworkSyntax {
    package static let kind = ConfigurationKind("interfaces")
    package static let places: [ConfigurationPlace] = [
        .path("/etc/network/interfaces"), .directory("/etc/network/interfaces.d"),
    ]

    /// A word and where it stands.
    typealias Word = (text: String, range: Range<Int>)

    /// Its rows, each with what a backslash continues it by.
    private let rows: [[Word]]

    package init(_ bytes: [UInt8], path: String) {
        var rows: [[Word]] = []
        var isContinued = false
        for line in TextLine.all(in: bytes) {
            var content = bytes.trimmed(line.content)
            // ifupdown looks for comments where a row begins, and goes on behind a backslash at a line's very end.
            if !isContinued, content.isEmpty || bytes[content].first == .hash { continue }
            let goesOn = bytes[line.content].last == .backslash
            if goesOn { content = content.lowerBound..<max(content.lowerBound, content.upperBound - 1) }
            let words = bytes.fields(in: content).map { Word(bytes.text($0), $0) }
            if isContinued, let last = rows.indices.last {
                rows[last] += words
            } else {
                rows.append(words)
            }
            isContinued = goesOn
        }
        self.rows = rows.filter { !$0.isEmpty }
    }

    private static let portWords: Set<String> = [
        "bridge_ports", "bridge-ports", "bond-slaves", "bond_slaves", "slaves", "vlan-raw-device",
        "vlan_raw_device", "bond-primary", "bond_primary",
    ]

    package static func facts(of files: [ParsedFile<Interfaces>]) -> NetworkFacts {
        var facts = NetworkFacts()
        // auto ens192=lan: what "lan" says holds for ens192.
        var cards: [String: Set<String>] = [:]
        for row in files.flatMap(\.syntax.rows) where isChoice(row[0].text) {
            for word in row.dropFirst() {
                let pieces = word.text.split(separator: "=", maxSplits: 1).map(String.init)
                if pieces.count == 2 { cards[pieces[1], default: []].insert(pieces[0]) }
            }
        }
        for file in files { file.syntax.add(file.file, cards, to: &facts) }
        return facts
    }

    /// A row of it lists real interfaces.
    private static func isChoice(_ word: String) -> Bool {
        ["auto", "mapping", "no-auto-down", "no-scripts"].contains(word) || word.hasPrefix("allow-")
    }

    private func add(_ file: ScannedFile, _ cards: [String: Set<String>], to facts: inout NetworkFacts) {
        var current: String?
        for row in rows {
            let rest = row.dropFirst()
            switch row[0].text {
            case "iface":
                guard let word = rest.first else { continue }
                let mapped = cards[word.text] ?? [word.text]
                let name = mapped.count == 1 ? mapped.first.map(CardName.base) : nil
                current = name.flatMap { $0.contains("/") ? nil : $0 }
                choose(word, row[0].text, file, &facts)
            case let word where Self.isChoice(word):
                current = nil
                for word in rest { choose(word, row[0].text, file, &facts) }
            case "rename":
                current = nil
                for word in rest { rename(word, file, &facts) }
            case "source", "source-directory":
                current = nil
                for word in rest where !Self.isRead(word.text) {
                    facts.remark(
                        file,
                        "\(row[0].text) names “\(word.text)”, where nothing is read here: see to the network cards there by hand"
                    )
                }
            case "template": current = nil
            case let word where Self.portWords.contains(word):
                addPorts(row, of: current, file, &facts)
            case "hwaddress":
                guard let address = rest.first(where: { HardwareAddress($0.text) != nil }) else { continue }
                facts.pin(address.text, address.range, of: current, .sets, "hwaddress", file)
            case "bridge_hw", "bridge-hw":
                guard let address = rest.first, HardwareAddress(address.text) != nil else { continue }
                facts.pin(address.text, address.range, of: current, .sets, row[0].text, file)
            default: break
            }
        }
    }

    /// What is read, and what is empty when a guest starts.
    private static func isRead(_ path: String) -> Bool {
        ["/etc/network/interfaces.d", "interfaces.d", "./interfaces.d", "/run/"].contains {
            path.hasPrefix($0)
        }
    }

    // MARK: Words that choose cards

    /// Notes what a word chooses: a name, `/mac/ADDRESS`, or a pattern behind a slash.
    private func choose(
        _ word: Word, _ setting: String, _ file: ScannedFile, _ facts: inout NetworkFacts
    ) {
        let chosen = word.text.prefix { $0 != "=" }
        guard !pin(word, of: nil, .matches, setting, file, &facts) else { return }
        if chosen.first == "/" {
            let pattern = chosen.dropFirst().prefix { $0 != "/" }
            facts.use(patterns: [String(pattern)], setting, file)
        } else {
            noteCard(CardName.base(String(chosen)), file, &facts)
        }
    }

    /// Notes a name that a row gives: `mac/ADDRESS=lan0`.
    private func rename(_ word: Word, _ file: ScannedFile, _ facts: inout NetworkFacts) {
        let pieces = word.text.split(separator: "=", maxSplits: 1).map(String.init)
        let given = pieces.count == 2 && CardName.isPlain(pieces[1]) ? pieces[1] : nil
        if !pin(word, of: given, given == nil ? .matches : .names, "rename", file, &facts),
            let old = pieces.first
        {
            noteCard(CardName.base(old), file, &facts)
        }
    }

    /// Notes the address of `mac/ADDRESS`; false where the word has none.
    private func pin(
        _ word: Word, of name: String?, _ role: NetworkFacts.Pin.Role, _ setting: String,
        _ file: ScannedFile, _ facts: inout NetworkFacts
    ) -> Bool {
        guard let head = ["/mac/", "mac/"].first(where: { word.text.hasPrefix($0) }) else { return false }
        let address = word.text.dropFirst(head.count).prefix { $0 != "=" && $0 != "/" }
        let start = word.range.lowerBound + head.utf8.count
        facts.pin(
            String(address), start..<start + address.utf8.count, of: name, role, "\(setting) mac/", file)
        return true
    }

    /// Notes what a bridge, bond or VLAN is made of. Behind "regex" come patterns, up to "noregex".
    private func addPorts(
        _ row: [Word], of current: String?, _ file: ScannedFile, _ facts: inout NetworkFacts
    ) {
        let setting = row[0].text
        if let current, !["bond-primary", "bond_primary"].contains(setting), !CardName.isOfCard(current) {
            facts.virtual.insert(current)
        }
        var isPattern = false
        for word in row.dropFirst() {
            switch word.text {
            case "regex": isPattern = true
            case "noregex": isPattern = false
            case "none", "all": break
            case let pattern where isPattern:
                guard pattern != ".*" else { continue }
                facts.patterns.append(
                    .init(file: file, setting: "\(setting) regex", text: pattern, patterns: []))
            case let port:
                noteCard(CardName.base(port), file, &facts)
                facts.join(port, to: current)
            }
        }
    }

    private func noteCard(_ name: String, _ file: ScannedFile, _ facts: inout NetworkFacts) {
        if CardName.isOfCard(name) { facts.use(name, file) }
    }
}
