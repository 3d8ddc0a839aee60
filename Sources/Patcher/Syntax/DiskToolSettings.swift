/// Settings of tools for single disks: hdparm.conf (`/dev/sda { … }`) and smartd.conf (`/dev/sda -a`).
package struct DiskToolSettings: ConfigurationSyntax {
    package static let kind = ConfigurationKind("disk-tools")
    package static let places: [ConfigurationPlace] = [
        .path("/etc/hdparm.conf"), .path("/etc/smartd.conf"), .path("/etc/smartmontools/smartd.conf"),
    ]
    package static var isNeededToBoot: Bool { false }
    package static var namesAreRemarkedOn: Bool { false }

    /// Its rows.
    package let rows: [FieldTable.Row]

    package init(_ bytes: [UInt8], path: String) { rows = FieldTable(bytes).rows }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        rows.map {
            DeviceSite(range: $0.ranges[0], text: $0.words[0], use: .reported("disk of a tool's settings"))
        }
    }
}
