/// netplan's YAML.
package struct Netplan: ConfigurationSyntax {
    package static let kind = ConfigurationKind("netplan")
    package static let places: [ConfigurationPlace] = [.directory("/etc/netplan", suffix: ".yaml")]

    package init(_ bytes: [UInt8], path: String) {}
}
