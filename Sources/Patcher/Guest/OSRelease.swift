package import GuestTree
package import Storage

/// What system a root file system holds.
package struct OSRelease: Sendable, Equatable {
    /// A family of distributions that name devices and build initramfs images alike.
    package enum Family: String, Sendable {
        /// RHEL, CentOS, Fedora, Oracle, Amazon…
        case redHat = "redhat"
        /// SLES, openSUSE.
        case suse
        /// Debian.
        case debian
        /// Ubuntu and its kin.
        case ubuntu
        /// Alpine.
        case alpine
        /// Arch.
        case arch
        /// Anything else.
        case other
    }

    /// Of a family, those that count their releases by numbers of their own.
    package enum Distribution: Sendable {
        /// Fedora.
        case fedora
        /// Amazon Linux: its first counts by years up to 2018, its second is 2, its third 2023.
        case amazon
        /// openSUSE, the community's beside SLES.
        case openSUSE
        /// Any other: it counts as its family does.
        case other
    }

    /// The name for people, and for nothing else: "CentOS release 5.6 (Final)".
    package var title: String
    /// All that the system calls itself, in lower case and without blanks: vendors' directories are called after it.
    package var foldedName: String { title.lowercased().filter { $0 != " " } }
    /// The family.
    package var family: Family
    /// The version's numbers: [5, 6].
    package var version: [Int]

    /// Which of its family it is, where that matters.
    package var distribution = Distribution.other

    /// Red Hat's kin that do not count as RHEL does.
    package var countsOtherwise: Bool { distribution == .fedora || distribution == .amazon }

    /// The first number of the version.
    package var major: Int? { version.first }

    /// Reads /etc/os-release (freedesktop) or one of the release files from before it. Nil when there is none.
    package static func read(_ tree: some GuestTree) throws(StorageError) -> OSRelease? {
        for path in ["/etc/os-release", "/usr/lib/os-release"] as [GuestPath] {
            guard let bytes = try tree.configuration(path) else { continue }
            let values = ShellVariables(bytes)
            let id = values.last("ID")?.text.lowercased() ?? ""
            let like = values.last("ID_LIKE")?.text.lowercased() ?? ""
            let name = values.last("NAME")?.text ?? id
            let pretty =
                values.last("PRETTY_NAME")?.text
                ?? [name, values.last("VERSION")?.text ?? ""].joined(separator: " ")
            return OSRelease(
                title: pretty.trimmingBlanks, family: family(of: "\(id) \(like)"),
                version: version(id, values), distribution: distribution(of: id))
        }
        if let bytes = try tree.configuration("/etc/lsb-release") {
            let values = ShellVariables(bytes)
            if let id = values.last("DISTRIB_ID")?.text {
                let release = values.last("DISTRIB_RELEASE")?.text ?? ""
                return OSRelease(
                    title: values.last("DISTRIB_DESCRIPTION")?.text ?? "\(id) \(release)",
                    family: family(of: id.lowercased()),
                    version: countsAlike.contains(id.lowercased()) ? numbers(release) : [],
                    distribution: distribution(of: id))
            }
        }
        for (path, word, prefix) in [
            ("/etc/redhat-release", "redhat", ""), ("/etc/SuSE-release", "suse", ""),
            ("/etc/system-release", "redhat", ""), ("/etc/debian_version", "debian", "Debian GNU/Linux "),
            ("/etc/alpine-release", "alpine", "Alpine Linux "), ("/etc/arch-release", "arch", "Arch Linux "),
            ("/etc/gentoo-release", "", ""), ("/etc/slackware-version", "", ""),
        ] as [(GuestPath, String, String)] {
            guard let bytes = try tree.configuration(path) else { continue }
            let line = TextLine.all(in: bytes).first.map { bytes.text($0.content) } ?? ""
            return OSRelease(
                title: (prefix + line).trimmingBlanks, family: family(of: word), version: numbers(line),
                distribution: distribution(of: line))
        }
        return nil
    }

    /// Disks behind an IDE controller are hda, not sda: the kernel's old IDE driver has them.
    package func usesOldIDEDriver(kernel: [Int]?) -> Bool {
        switch (family, major) {
        case (.redHat, let major?):
            return major <= 5 && !countsOtherwise
        case (.debian, let major?): return major <= 5
        case (.ubuntu, let major?): return major < 7 || (major == 7 && version.dropFirst().first ?? 0 <= 4)
        case (.suse, let major?): return major <= 10
        default: return kernel.map { isVersion($0, below: [2, 6, 20]) } ?? false
        }
    }

    private static func family(of words: String) -> Family {
        let words = Set(words.split { !$0.isLetter && !$0.isNumber }.map(String.init))
        // Mint is made of either.
        if words.contains("ubuntu") || words.contains("linuxmint") && !words.contains("debian") {
            return .ubuntu
        }
        if !words.isDisjoint(with: ["debian", "raspbian"]) { return .debian }
        if !words.isDisjoint(with: [
            "rhel", "fedora", "centos", "redhat", "ol", "rocky", "almalinux", "amzn", "scientific",
        ]) {
            return .redHat
        }
        if !words.isDisjoint(with: ["suse", "sles", "opensuse", "sled"]) { return .suse }
        if words.contains("alpine") { return .alpine }
        return words.contains("arch") || words.contains("archlinux") ? .arch : .other
    }

    /// What a system's own number says is known of these; others count their releases by numbers of their own, and say by a
    /// code name at most what they are made of.
    private static func version(_ id: String, _ values: ShellVariables) -> [Int] {
        let own = numbers(values.last("VERSION_ID")?.text ?? "")
        let isSUSE = id.hasPrefix("opensuse") && !id.contains("micro")
        if countsAlike.contains(id) || isSUSE { return own }
        for name in ["UBUNTU_CODENAME", "DEBIAN_CODENAME", "VERSION_CODENAME"] {
            let code = values.last(name)?.text.lowercased() ?? ""
            if let known = codeNames[code] { return known }
        }
        return []
    }

    private static let countsAlike: Set<String> = [
        "debian", "raspbian", "ubuntu", "rhel", "centos", "fedora", "redhat", "ol", "rocky", "almalinux",
        "amzn",
        "scientific", "eurolinux", "virtuozzo", "cloudlinux", "sles", "sled", "sles_sap", "suse", "alpine",
        "arch",
    ]

    private static let codeNames: [String: [Int]] = [
        "wheezy": [7], "jessie": [8], "stretch": [9], "buster": [10], "bullseye": [11], "bookworm": [12],
        "trixie": [13],
        "precise": [12, 4], "trusty": [14, 4], "xenial": [16, 4], "bionic": [18, 4], "focal": [20, 4],
        "jammy": [22, 4],
        "noble": [24, 4],
    ]

    /// By the identifier of os-release or lsb-release, or by the line of a file from before them: "Fedora release 8 (Werewolf)".
    private static func distribution(of words: String) -> Distribution {
        let words = words.lowercased().split { !$0.isLetter && !$0.isNumber }
        if words.contains("fedora") { return .fedora }
        if words.contains("amazon") || words.contains("amzn") { return .amazon }
        return words.contains("opensuse") ? .openSUSE : .other
    }

    /// The first dotted number of a text: "CentOS release 5.6 (Final)" → [5, 6].
    private static func numbers(_ text: String) -> [Int] {
        let digits = text.drop { !$0.isNumber }.prefix { $0.isNumber || $0 == "." }
        return digits.split(separator: ".").compactMap { DiskName.smallNumber($0) }
    }
}

extension String {
    var trimmingBlanks: String {
        var body = self[...]
        func isBlank(_ character: Character?) -> Bool {
            character == " " || character == "\t" || character == "\r"
        }
        while isBlank(body.first) { body.removeFirst() }
        while isBlank(body.last) { body.removeLast() }
        return String(body)
    }
}
