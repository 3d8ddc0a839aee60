/// What systemd-networkd and udev read of /etc/systemd/network: .network, .netdev and .link.
package struct NetworkdFile: NetworkSyntax {
    package static let kind = ConfigurationKind("networkd")
    package static let places: [ConfigurationPlace] = [
        .directory("/etc/systemd/network", suffix: ".network"),
        .directory("/etc/systemd/network", suffix: ".netdev"),
        .directory("/etc/systemd/network", suffix: ".link"),
    ]

    private let path: String
    private let settings: INIFile

    package init(_ bytes: [UInt8], path: String) {
        self.path = path
        settings = INIFile(bytes)
    }

    package static func facts(of files: [ParsedFile<NetworkdFile>]) -> NetworkFacts {
        var facts = NetworkFacts()
        for file in files { file.syntax.add(file.file, to: &facts) }
        return facts
    }

    /// It is a .link file.
    var isLink: Bool { path.hasSuffix(".link") }
    /// The file's own name, by which .link files are ordered.
    var fileName: String { path.split(separator: "/").last.map(String.init) ?? path }
    /// The name that a .link file gives.
    var givenName: String? { settings.last("Link", "Name")?.text }

    /// What [Match] asks for that belongs to the old machine. A list that begins with "!" says what is not to fit: of drivers that may
    /// be the target's.
    func conditions(in bytes: [UInt8]) -> [CardCondition] {
        var found: [CardCondition] = []
        for key in Self.hardwareKeys {
            let words = settings.words("Match", key, in: bytes).map(\.text)
            guard key != "Driver" else {
                found += [CardCondition.drivers(words, key)].compactMap(\.self)
                continue
            }
            guard let first = words.first, !first.hasPrefix("!"), !words.contains("*"),
                words.contains(where: CardName.isParticular),
                words.allSatisfy({ !Self.anyMachine.contains($0) }),
                key != "OriginalName" || !words.contains(where: Self.fitsEveryCard)
            else { continue }
            found.append(CardCondition(setting: key, value: words.joined(separator: " ")))
        }
        return found
    }

    /// systemd.link(5), systemd.network(5). The other keys ask for what stays with the guest, or for no card.
    private static let hardwareKeys = [
        "Path", "Driver", "OriginalName", "Property", "Virtualization", "Firmware",
    ]
    /// The kernel calls every card "eth" and a number.
    private static func fitsEveryCard(_ pattern: String) -> Bool {
        ["eth0", "eth17"].allSatisfy { NamePattern.fits(Array(pattern.utf8)[...], Array($0.utf8)[...]) }
    }
    /// What any virtual machine has, and any firmware of one.
    private static let anyMachine: Set<String> = ["yes", "true", "on", "1", "vm", "uefi"]

    /// Whether a .link file's [Match] may fit a card with that address. The first file that fits is the only one that counts.
    func mayFit(_ address: HardwareAddress, in bytes: [UInt8], on target: Target) -> Bool {
        guard fitsEthernet(bytes), conditions(in: bytes).allSatisfy({ $0.isMet(on: target, byAny: true) })
        else { return false }
        let addresses = Self.addressKeys.flatMap { settings.words("Match", $0, in: bytes) }
        if !addresses.isEmpty { return addresses.contains { HardwareAddress($0.text) == address } }
        // Without [Match] none fits; what else is asked for is not known of a card that is not there yet.
        guard settings.has("Match") else { return false }
        return true
    }

    /// A card of wires is of the type "ether". One of another type is none of those that a hypervisor gives.
    private func fitsEthernet(_ bytes: [UInt8]) -> Bool {
        var types = settings.words("Match", "Type", in: bytes).map(\.text)
        guard let first = types.first else { return true }
        let isNot = first.hasPrefix("!")
        if isNot { types[0] = String(first.dropFirst()) }
        return types.contains { NamePattern.fits(Array($0.utf8)[...], Array("ether".utf8)[...]) } != isNot
    }

    private static let addressKeys = ["MACAddress", "PermanentMACAddress"]

    private func add(_ file: ScannedFile, to facts: inout NetworkFacts) {
        if path.hasSuffix(".netdev") {
            guard let name = settings.last("NetDev", "Name")?.text else { return }
            facts.virtual.insert(name)
            if let address = settings.last("NetDev", "MACAddress"), HardwareAddress(address.text) != nil {
                facts.pin(address.text, address.range, of: name, .sets, "MACAddress", file)
            }
            return
        }
        guard fitsEthernet(file.bytes) else {
            // Of no card: its address is listed all the same.
            for word in Self.addressKeys.flatMap({ settings.words("Match", $0, in: file.bytes) }) {
                facts.pin(word.text, word.range, of: nil, .matches, "MACAddress", file)
            }
            return
        }
        let patterns = settings.words("Match", "Name", in: file.bytes)
        var name: String?
        facts.use(patterns: patterns.map(\.text), "Name", file)
        if let only = patterns.first, patterns.count == 1, CardName.fixed(inPattern: only.text) == only.text {
            name = only.text
        }
        for key in ["Bridge", "Bond", "VLAN", "MACVLAN", "VRF"] where !isLink {
            for word in settings.words("Network", key, in: file.bytes) {
                if let name { facts.join(name, to: word.text) }
            }
        }
        let given = isLink ? givenName : nil
        let conditions = conditions(in: file.bytes)
        for key in Self.addressKeys {
            for word in settings.words("Match", key, in: file.bytes) {
                facts.pin(
                    word.text, word.range, of: given ?? name, given == nil ? .matches : .names, key, file,
                    conditions: conditions)
            }
        }
        if let address = settings.last("Link", "MACAddress"), HardwareAddress(address.text) != nil {
            facts.pin(address.text, address.range, of: given ?? name, .sets, "MACAddress of [Link]", file)
        }
        let addresses = Self.addressKeys.flatMap { settings.words("Match", $0, in: file.bytes) }
            .compactMap { HardwareAddress($0.text) }
        for condition in conditions {
            facts.hardware(file, condition)
            if !isLink { facts.demand(condition, of: name, addresses, file) }
        }
    }
}
