/// What an initramfs generator is told to put in.
package struct InitramfsPolicy: ConfigurationSyntax {
    package static let kind = ConfigurationKind("initramfs-policy")
    package static let places: [ConfigurationPlace] = [
        .path("/etc/dracut.conf"), .path("/etc/initramfs-tools/initramfs.conf"),
        .directory("/etc/dracut.conf.d", suffix: ".conf"),
        .directory("/etc/initramfs-tools/conf.d", prefix: "driver-policy"),
    ]

    /// Its assignments.
    package let variables: ShellVariables

    package init(_ bytes: [UInt8], path: String) { variables = ShellVariables(bytes) }
}
