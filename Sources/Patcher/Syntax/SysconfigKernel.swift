/// Red Hat's or SUSE's /etc/sysconfig/kernel.
package struct SysconfigKernel: ConfigurationSyntax {
    package static let kind = ConfigurationKind("sysconfig-kernel")
    package static let places: [ConfigurationPlace] = [.path("/etc/sysconfig/kernel")]

    /// Its assignments.
    package let variables: ShellVariables

    package init(_ bytes: [UInt8], path: String) { variables = ShellVariables(bytes) }
}
