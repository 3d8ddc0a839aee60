/// interfaces(5) of Debian and Alpine.
package struct Interfaces: NetworkSyntax {
    package static let kind = ConfigurationKind("interfaces")
    package static let places: [ConfigurationPlace] = [
        .path("/etc/network/interfaces"), .directory("/etc/network/interfaces.d"),
    ]

    /// Its rows.
    package let rows: [FieldTable.Row]

    package init(_ bytes: [UInt8], path: String) { rows = FieldTable(bytes).rows }

    private static let portWords: Set<String> = [
        "bridge_ports", "bridge-ports", "bond-slaves", "bond_slaves", "slaves", "vlan-raw-device",
        "vlan_raw_device", "bond-primary", "bond_primary",
    ]

    package static func facts(of files: [ParsedFile<Interfaces>]) -> NetworkFacts {
        var facts = NetworkFacts()
        for file in files { file.syntax.add(file.file, to: &facts) }
        return facts
    }

    private func add(_ file: ScannedFile, to facts: inout NetworkFacts) {
        var current: String?
        for row in rows {
            let words = row.words
            switch words[0] {
            case "iface":
                current = words.count > 1 ? CardName.base(words[1]) : nil
                if let current { noteCard(current, file, &facts) }
            case "auto": for word in words.dropFirst() { noteCard(CardName.base(word), file, &facts) }
            case let word where word.hasPrefix("allow-"):
                for word in words.dropFirst() { noteCard(CardName.base(word), file, &facts) }
            case "mapping", "source", "source-directory", "no-auto-down", "no-scripts", "rename", "template":
                current = nil
            case let word where Self.portWords.contains(word):
                if let current, word != "bond-primary", !CardName.isOfCard(current) {
                    facts.virtual.insert(current)
                }
                // "regex" takes a pattern behind it.
                let ports = words.contains("regex") ? [] : words.dropFirst()
                for port in ports {
                    noteCard(CardName.base(port), file, &facts)
                    facts.join(port, to: current)
                }
            case "hwaddress":
                let index = words.count > 2 ? 2 : 1
                guard index < words.count, HardwareAddress(words[index]) != nil else { continue }
                facts.pin(words[index], row.ranges[index], of: current, .sets, "hwaddress", file)
            case "bridge_hw", "bridge-hw":
                guard words.count > 1, HardwareAddress(words[1]) != nil else { continue }
                facts.pin(words[1], row.ranges[1], of: current, .sets, words[0], file)
            default: break
            }
        }
    }

    private func noteCard(_ name: String, _ file: ScannedFile, _ facts: inout NetworkFacts) {
        if CardName.isOfCard(name) { facts.use(name, file) }
    }
}
