/// mkinitfs.conf of Alpine.
package struct MkinitfsConfiguration: ConfigurationSyntax {
    package static let kind = ConfigurationKind("mkinitfs")
    package static let places: [ConfigurationPlace] = [.path("/etc/mkinitfs/mkinitfs.conf")]

    /// Its assignments.
    package let variables: ShellVariables

    package init(_ bytes: [UInt8], path: String) { variables = ShellVariables(bytes) }
}
