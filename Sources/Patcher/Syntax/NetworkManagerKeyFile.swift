/// A NetworkManager key file.
package struct NetworkManagerKeyFile: ConfigurationSyntax {
    package static let kind = ConfigurationKind("network-manager")
    package static let places: [ConfigurationPlace] = [.directory("/etc/NetworkManager/system-connections")]

    package init(_ bytes: [UInt8], path: String) {}
}
