/// /etc/default/grub and its parts: what the next making of grub.cfg reads.
package struct GRUBDefaults: ConfigurationSyntax {
    package static let kind = ConfigurationKind("grub-defaults")
    package static let places: [ConfigurationPlace] = [
        .path("/etc/default/grub"), .directory("/etc/default/grub.d", suffix: ".cfg"),
    ]
    package static var isBootLoader: Bool { true }

    /// Its assignments.
    package let variables: ShellVariables

    package init(_ bytes: [UInt8], path: String) { variables = ShellVariables(bytes) }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] { variables.argumentSites(in: bytes) }
    package func sharedCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        variables.argumentLines(in: bytes)
    }
    package func permanentCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        variables.permanentLine(["GRUB_CMDLINE_LINUX"], in: bytes)
    }
}
