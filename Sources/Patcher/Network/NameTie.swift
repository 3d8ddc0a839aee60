/// The file by which a guest's udev gives a card its name.
enum NameTie: Equatable {
    /// A .link file for each card: systemd's own way since 209.
    case link
    /// A line of 70-persistent-net.rules.
    case rule
    /// Neither would be read; why.
    case none(Sentence)

    /// What a guest reads.
    init(_ guest: LinuxSystem) {
        let network = guest.inspection.network
        let isPersistent = guest.files(NetRules.self).contains { $0.syntax.isPersistent }
        switch Self.capability(guest) {
        case .link: self = isPersistent ? .rule : .link
        case .rule: self = .rule
        case .none(let reason): self = .none(reason)
        }
        if self == .rule, !isPersistent, network.takenNames.contains(Self.ruleFile) {
            self = .none("\(Self.ruleFile) is there and is no file that rules can be put into")
        }
    }

    static let ruleFile = "70-persistent-net.rules"

    /// The name of a card's own .link file. It comes before netplan's (10-netplan-…): the first that fits is the only one
    /// that counts.
    static func linkFile(_ card: String) -> String { "05-name-\(card).link" }

    private static let tooOld: Sentence = "its udev is too old to be told names by a rule of today's form"

    private static func capability(_ guest: LinuxSystem) -> NameTie {
        let network = guest.inspection.network
        let family = guest.release?.family ?? .other
        let major = guest.release?.major
        // initramfs-tools puts drivers of network cards into the initramfs, whose udev names them first; before version 240
        // systemd names a card by a .link file once only, while a rule holds whenever it is read.
        let namesTwice = family != .debian && family != .ubuntu
        if let version = network.systemdVersion {
            return version >= (namesTwice ? 209 : 240) ? .link : .rule
        }
        switch (family, major) {
        case (.debian, let major?): return major >= 10 ? .link : major >= 4 ? .rule : .none(tooOld)
        case (.ubuntu, let major?): return major >= 19 ? .link : major >= 7 ? .rule : .none(tooOld)
        case (.redHat, let major?): return redHat(major, guest.release)
        case (.suse, let major?):
            let isOld = guest.release.map {
                $0.distribution == .openSUSE && isVersion($0.version, below: [13, 2])
            }
            return major >= 12 && isOld != true ? .link : major >= 11 ? .rule : .none(tooOld)
        case (.alpine, _): return .none("Alpine has no udev that names cards")
        case (.arch, _): return .link
        case (.debian, nil), (.ubuntu, nil): return .link
        default:
            if network.hasLinkFiles { return .link }
            return network.hasUdev ? .rule : .none("no udev was found that could be told")
        }
    }

    private static func redHat(_ major: Int, _ release: OSRelease?) -> NameTie {
        switch release?.distribution {
        case .fedora?: major >= 20 ? .link : major >= 11 ? .rule : .none(tooOld)
        case .amazon?: major == 2 || major > 2018 ? .link : .rule
        default: major >= 7 ? .link : major == 6 ? .rule : .none(tooOld)
        }
    }

    /// The text of a card's .link file. Only what has hardware behind it has a path: a bridge, bond or VLAN may have the card's
    /// address too. `Type=ether` would say so as well, but before systemd 245 no card of that type has one (systemd issue
    /// 14952), and the file would fit nothing.
    static func linkText(_ card: String, _ address: HardwareAddress) -> String {
        """
        # The card with this address keeps the name that the files of this system know it by.
        [Match]
        MACAddress=\(address.text)
        Path=*

        [Link]
        Name=\(card)

        """
    }

    /// The rule of a card. Only what a driver stands behind is a card: a bridge or VLAN may have its address too.
    static func ruleText(_ card: String, _ address: HardwareAddress) -> String {
        "SUBSYSTEM==\"net\", ACTION==\"add\", DRIVERS==\"?*\", ATTR{address}==\"\(address.text)\", "
            + "ATTR{type}==\"1\", NAME=\"\(card)\"\n"
    }
}
