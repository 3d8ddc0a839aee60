/// udev's rules, of which those count that name network cards: 70-persistent-net.rules, SUSE's
/// 30-net_persistent_names.rules, and what tools write under other names.
package struct NetRules: NetworkSyntax {
    package static let kind = ConfigurationKind("net-rules")
    package static let places: [ConfigurationPlace] = [
        .path("/etc/udev/rules.d/70-persistent-net.rules"),
        .path("/etc/udev/rules.d/30-net_persistent_names.rules"),
        .directory("/etc/udev/rules.d", suffix: ".rules"),
    ]

    /// Its rules.
    let rules: [UdevRule]
    private let path: String

    package init(_ bytes: [UInt8], path: String) {
        rules = UdevRule.all(in: bytes)
        self.path = path
    }

    /// The file that udev itself, or its generator, would have put names into.
    var isPersistent: Bool { path.hasSuffix("persistent-net.rules") }

    /// Rules for a disk by the kernel's name for it; they are never changed.
    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        rules.filter { !$0.isOfCards }.compactMap { rule in
            guard let kernel = rule.match(["KERNEL", "KERNELS"]) else { return nil }
            return DeviceSite(
                range: kernel.range, text: "/dev/\(kernel.text)", use: .reported("device of a udev rule"))
        }
    }

    package static func facts(of files: [ParsedFile<NetRules>]) -> NetworkFacts {
        var facts = NetworkFacts()
        for file in files {
            for rule in file.syntax.rules where rule.isOfCards {
                guard let name = rule.givenName else { continue }
                let conditions = rule.hardware.map(\.condition)
                for var condition in conditions {
                    condition.setting += " (name \(name.text))"
                    facts.hardware(file.file, condition)
                }
                guard let address = rule.address else { continue }
                if name.isPlain { facts.use(name.text, file.file) }
                facts.pin(
                    address.text, address.range, of: name.isPlain ? name.text : nil,
                    name.isPlain ? .names : .matches, address.key, file.file, conditions: conditions)
            }
        }
        return facts
    }
}
