/// udev's 70-persistent-net.rules, and SUSE's file of the same kind.
package struct NetRules: ConfigurationSyntax {
    package static let kind = ConfigurationKind("net-rules")
    package static let places: [ConfigurationPlace] = [
        .path("/etc/udev/rules.d/70-persistent-net.rules"),
        .path("/etc/udev/rules.d/30-net_persistent_names.rules"),
    ]

    package init(_ bytes: [UInt8], path: String) {}
}
