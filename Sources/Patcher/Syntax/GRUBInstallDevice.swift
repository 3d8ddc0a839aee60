/// SUSE's /etc/default/grub_installdevice: where the next installation of GRUB 2 goes, a device or a word a line.
package struct GRUBInstallDevice: ConfigurationSyntax {
    package static let kind = ConfigurationKind("grub-install-device")
    package static let places: [ConfigurationPlace] = [.path("/etc/default/grub_installdevice")]

    /// Its rows.
    package let rows: [FieldTable.Row]

    package init(_ bytes: [UInt8], path: String) { rows = FieldTable(bytes).rows }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        rows.map { .loaderDisk(bytes, $0.ranges[0]) }
    }
}
