/// /etc/sysconfig/bootloader of SUSE.
package struct SysconfigBootloader: ConfigurationSyntax {
    package static let kind = ConfigurationKind("settings")
    package static let places: [ConfigurationPlace] = [.path("/etc/sysconfig/bootloader")]

    /// Its assignments.
    package let variables: ShellVariables

    package init(_ bytes: [UInt8], path: String) { variables = ShellVariables(bytes) }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] { variables.settingSites(in: bytes) }
    package func sharedCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        variables.argumentLines(in: bytes)
    }
    package func permanentCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        variables.permanentLine(["DEFAULT_APPEND"], in: bytes)
    }
}
