/// ifcfg-*: an interface of Red Hat's or SUSE's scripts.
package struct Ifcfg: ConfigurationSyntax {
    package static let kind = ConfigurationKind("ifcfg")
    package static let places: [ConfigurationPlace] = [
        .directory("/etc/sysconfig/network-scripts", prefix: "ifcfg-"),
        .directory("/etc/sysconfig/network", prefix: "ifcfg-"),
    ]

    /// Its assignments.
    package let variables: ShellVariables

    package init(_ bytes: [UInt8], path: String) { variables = ShellVariables(bytes) }
}
