/// What an initramfs generator is told to put in.
package struct InitramfsPolicy: ConfigurationSyntax {
    package static let kind = ConfigurationKind("initramfs-policy")
    package static let places: [ConfigurationPlace] = [
        .path("/etc/dracut.conf"), .path("/etc/initramfs-tools/initramfs.conf"),
        .directory("/etc/dracut.conf.d", suffix: ".conf"),
        .directory("/usr/lib/dracut/dracut.conf.d", suffix: ".conf"),
        .directory("/etc/initramfs-tools/conf.d"),
    ]

    /// Its assignments.
    package let variables: ShellVariables

    package init(_ bytes: [UInt8], path: String) { variables = ShellVariables(bytes) }

    /// initramfs-tools takes `RESUME=` from any of its files; the last one read wins.
    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] { variables.resumeSites(in: bytes) }
}
