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

    /// Whether a .link file's [Match] may fit a card with that address. The first file that fits is the only one that counts.
    func mayFit(_ address: HardwareAddress, in bytes: [UInt8]) -> Bool {
        let addresses = Self.addressKeys.flatMap { settings.words("Match", $0, in: bytes) }
        if !addresses.isEmpty { return addresses.contains { HardwareAddress($0.text) == address } }
        // Without [Match] none fits; what else is asked for is not known of a card that is not there yet.
        guard settings.has("Match") else { return false }
        if let type = settings.last("Match", "Type")?.text {
            return type.contains("ether") || type.contains("!")
        }
        return true
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
        for key in Self.addressKeys {
            for word in settings.words("Match", key, in: file.bytes) {
                facts.pin(
                    word.text, word.range, of: given ?? name, given == nil ? .matches : .names, key, file)
            }
        }
        if let address = settings.last("Link", "MACAddress"), HardwareAddress(address.text) != nil {
            facts.pin(address.text, address.range, of: given ?? name, .sets, "MACAddress of [Link]", file)
        }
        for key in ["Path", "Driver", "OriginalName"] {
            for word in settings.words("Match", key, in: file.bytes)
            where CardName.isParticular(word.text) && !word.text.hasPrefix("!") {
                facts.hardware(file, key, word.text)
            }
        }
    }
}
