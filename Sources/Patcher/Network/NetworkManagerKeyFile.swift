/// A NetworkManager key file.
package struct NetworkManagerKeyFile: NetworkSyntax {
    package static let kind = ConfigurationKind("network-manager")
    package static let places: [ConfigurationPlace] = [
        .directory("/etc/NetworkManager/system-connections"),
        .directory("/usr/lib/NetworkManager/system-connections"),
    ]

    private let path: String
    private let settings: INIFile

    package init(_ bytes: [UInt8], path: String) {
        self.path = path
        settings = INIFile(bytes)
    }

    package static func facts(of files: [ParsedFile<NetworkManagerKeyFile>]) -> NetworkFacts {
        var facts = NetworkFacts()
        let read = files.filter { !$0.syntax.isBackup }
        // A master is named by its interface or by its connection's UUID.
        var names: [String: String] = [:]
        for file in read {
            guard let uuid = file.syntax.settings.last("connection", "uuid")?.text,
                let name = file.syntax.settings.last("connection", "interface-name")?.text
            else { continue }
            names[uuid.lowercased()] = name
        }
        for file in read { file.syntax.add(file.file, to: &facts, interfaces: names) }
        return facts
    }

    /// What NetworkManager passes over.
    private var isBackup: Bool {
        let name = path.split(separator: "/").last ?? ""
        return name.hasPrefix(".")
            || ["~", ".bak", ".orig", ".rpmnew", ".rpmsave", ".swp"].contains { name.hasSuffix($0) }
    }

    private func add(
        _ file: ScannedFile, to facts: inout NetworkFacts, interfaces: [String: String]
    ) {
        let type = settings.last("connection", "type")?.text
        let sections = ["ethernet", "802-3-ethernet"]
        let isCard = type.map(sections.contains) ?? sections.contains { settings.has($0) }
        let name = settings.last("connection", "interface-name")?.text
        if let name, !name.isEmpty {
            if isCard {
                facts.use(name, file)
            } else if !CardName.isOfCard(name) {
                facts.virtual.insert(name)
            }
        }
        for key in ["master", "controller"] {
            guard let name, isCard, let master = settings.last("connection", key)?.text else { continue }
            facts.join(name, to: interfaces[master.lowercased()] ?? master)
        }
        for section in sections {
            if let address = settings.last(section, "mac-address") {
                facts.pin(
                    address.text, address.range, of: isCard ? name.map(CardName.base) : nil,
                    isCard ? .matches : .sets, "mac-address", file)
            }
            if let address = settings.last(section, "cloned-mac-address"),
                HardwareAddress(address.text) != nil
            {
                facts.pin(address.text, address.range, of: name, .sets, "cloned-mac-address", file)
            }
        }
        if let address = settings.last("bridge", "mac-address"), HardwareAddress(address.text) != nil {
            facts.pin(address.text, address.range, of: name, .sets, "mac-address of [bridge]", file)
        }
        addOldAddresses(sections, file, &facts)
        for (section, key) in [("vlan", "parent"), ("macvlan", "parent")] {
            // A parent may be a connection's UUID too.
            if let parent = settings.last(section, key)?.text {
                facts.join(interfaces[parent.lowercased()] ?? parent, to: name)
                if CardName.isOfCard(CardName.base(parent)) { facts.use(parent, file) }
            }
        }
        for (key, label) in [
            ("interface-name", "interface-name of [match]"), ("path", "path"), ("driver", "driver"),
        ] {
            guard let match = settings.last("match", key)?.text, !match.isEmpty else { continue }
            let words = match.split { $0 == ";" || $0 == "," || $0 == " " }.map(String.init)
            guard key != "interface-name" else {
                facts.use(patterns: words, label, file)
                continue
            }
            // "|" and "&" say how the words go together; what begins with "!" is not to fit.
            let plain = words.map { String($0.drop { "|&".contains($0) }) }
            let wanted = plain.filter { !$0.hasPrefix("!") && CardName.isParticular($0) }
            let others = plain.filter { $0.hasPrefix("!") }.map { String($0.dropFirst()) }
            // A place that is not to fit is none of the new machine's.
            guard !wanted.isEmpty || key == "driver" && !others.isEmpty, !plain.contains("*") else {
                continue
            }
            let condition = CardCondition(
                setting: label, value: match, drivers: key == "driver" ? wanted : [],
                others: key == "driver" ? others : [])
            facts.hardware(file, condition)
            let addresses = sections.compactMap { settings.last($0, "mac-address") }
                .compactMap { HardwareAddress($0.text) }
            if isCard {
                facts.demand(condition, of: name.map(CardName.base), addresses, file)
            }
        }
    }

    /// Addresses that neither choose a card nor are given to one.
    private func addOldAddresses(_ sections: [String], _ file: ScannedFile, _ facts: inout NetworkFacts) {
        for section in sections {
            for key in ["mac-address-blacklist", "mac-address-denylist"] {
                for word in settings.last(section, key)?.text.split(whereSeparator: { ";, ".contains($0) })
                    ?? []
                where HardwareAddress(String(word)) != nil {
                    facts.remark(
                        file,
                        "\(key) keeps the connection from the card \(word), which has another address then")
                }
            }
        }
        // A client identifier of type 1 is a hardware address (RFC 2132, 9.14).
        if let identifier = settings.last("ipv4", "dhcp-client-id")?.text, identifier.hasPrefix("01:"),
            HardwareAddress(String(identifier.dropFirst(3))) != nil
        {
            facts.remark(file, "dhcp-client-id is \(identifier), an address of the old machine's card")
        }
    }
}
