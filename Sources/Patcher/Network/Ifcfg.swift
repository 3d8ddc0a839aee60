/// ifcfg-*: an interface of Red Hat's or SUSE's scripts; NetworkManager and wicked read them too.
package struct Ifcfg: NetworkSyntax {
    package static let kind = ConfigurationKind("ifcfg")
    package static let places: [ConfigurationPlace] = [
        .directory("/etc/sysconfig/network-scripts", prefix: "ifcfg-"),
        .directory("/etc/sysconfig/network", prefix: "ifcfg-"),
    ]

    /// Its assignments.
    package let variables: ShellVariables
    /// The path that it was found under.
    package let path: String

    package init(_ bytes: [UInt8], path: String) {
        variables = ShellVariables(bytes)
        self.path = path
    }

    package static func facts(of files: [ParsedFile<Ifcfg>]) -> NetworkFacts {
        var facts = NetworkFacts()
        for file in files where !isBackup(file.syntax.path) { file.syntax.add(file.file, to: &facts) }
        return facts
    }

    /// What the scripts pass over.
    private static func isBackup(_ path: String) -> Bool {
        ["~", ".bak", ".orig", ".rpmnew", ".rpmorig", ".rpmsave", ".swp"].contains { path.hasSuffix($0) }
    }

    /// The name of the file behind `ifcfg-`.
    private var suffix: String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return String(name.dropFirst("ifcfg-".count))
    }

    private func add(_ file: ScannedFile, to facts: inout NetworkFacts) {
        let isSUSE = !path.contains("network-scripts")
        var name: String? = suffix
        if isSUSE, let separator = suffix.range(of: "-id-") {
            // ifcfg-eth-id-00:50:56:aa:bb:01: for the card with that address, whatever its name.
            name = nil
            facts.pin(
                String(suffix[separator.upperBound...]), nil, of: nil, .matches, "the file's name", file)
        } else if isSUSE, let separator = suffix.range(of: "-bus-") {
            name = nil
            facts.hardware(file, "the file's name", String(suffix[separator.upperBound...]))
        } else if !isSUSE, let device = variables.last("DEVICE"), !device.isOpaque {
            name = device.text
        }
        let isVirtual = isVirtual
        if let declared = name {
            let base = CardName.base(declared)
            if isVirtual, base == declared {
                facts.virtual.insert(declared)
            } else if CardName.isOfCard(base) || !isVirtual && value("HWADDR") != nil {
                facts.use(base, file)
            }
            name = base
        }
        for assignment in variables.assignments {
            for port in Self.ports(of: assignment) {
                facts.join(port, to: name)
                if CardName.isOfCard(CardName.base(port)) { facts.use(port, file) }
            }
            if !isSUSE, Self.masterWords.contains(assignment.name), let name, !assignment.isOpaque {
                if !CardName.isOfCard(assignment.text) { facts.virtual.insert(assignment.text) }
                facts.join(name, to: assignment.text)
            }
        }
        for (setting, role) in [
            ("HWADDR", isVirtual ? .sets : .matches), ("MACADDR", .sets), ("LLADDR", .sets),
        ] as [(String, NetworkFacts.Pin.Role)] {
            guard let found = variables.last(setting) else { continue }
            facts.pin(found.text, found.valueRange, of: name, role, setting, file)
        }
    }

    private func value(_ name: String) -> String? { variables.last(name).map(\.text) }

    /// The guest makes the interface itself.
    private var isVirtual: Bool {
        if let type = value("TYPE")?.lowercased(), !type.isEmpty, type != "ethernet" { return true }
        if value("VLAN")?.lowercased() == "yes" { return true }
        return ["BRIDGE", "BONDING_MASTER"].contains {
            ["yes", "y"].contains(value($0)?.lowercased() ?? "")
        }
            || ["ETHERDEVICE", "PHYSDEV", "BRIDGE_PORTS", "BONDING_OPTS", "TUNNEL", "TEAM_CONFIG"].contains {
                value($0) != nil
            }
    }

    /// Words by which a card says what it is a part of.
    private static let masterWords = ["BRIDGE", "MASTER", "TEAM_MASTER", "OVS_BRIDGE"]

    /// The interfaces that a bridge, bond or VLAN is made of.
    private static func ports(of assignment: ShellVariables.Assignment) -> [String] {
        let name = assignment.name
        guard
            ["BRIDGE_PORTS", "ETHERDEVICE", "PHYSDEV", "MACVLAN_DEVICE"].contains(name)
                || name.hasPrefix("BONDING_SLAVE") || name.hasPrefix("TEAM_PORT_DEVICE")
                || name.hasPrefix("OVS_BRIDGE_PORT_DEVICE")
        else { return [] }
        return assignment.text.split(separator: " ").map(String.init)
    }
}

extension String {
    /// Where the first occurrence of a text lies.
    func range(of text: String) -> Range<String.Index>? { firstRange(of: text) }
}
