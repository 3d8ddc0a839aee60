/// What Ubuntu's installers leave to cloud-init in netplan's language: it makes netplan's own file of it anew, on a machine
/// that it takes for a new one.
package struct InstallerNetwork: NetworkSyntax {
    package static let kind = ConfigurationKind("installer-network")
    package static let places: [ConfigurationPlace] = [
        .path("/etc/cloud/cloud.cfg.d/50-curtin-networking.cfg"),
        .path("/etc/cloud/cloud.cfg.d/90-installer-network.cfg"),
    ]

    private let netplan: Netplan

    package init(_ bytes: [UInt8], path: String) { netplan = Netplan(bytes, path: path) }

    /// Apart from netplan's files: what they say of a card comes in the place of what is said here, and both must follow.
    package static func facts(of files: [ParsedFile<InstallerNetwork>]) -> NetworkFacts {
        Netplan.facts(of: files.map { ParsedFile(file: $0.file, syntax: $0.syntax.netplan) })
    }
}
