/// GRUB's device.map: `(hd0) /dev/sda`.
package struct DeviceMap: ConfigurationSyntax {
    package static let kind = ConfigurationKind("device-map")
    package static let places: [ConfigurationPlace] = [
        .path("/boot/grub/device.map"), .path("/boot/grub2/device.map"),
    ]
    package static var isBootLoader: Bool { true }

    /// Its rows.
    package let rows: [FieldTable.Row]

    package init(_ bytes: [UInt8], path: String) { rows = FieldTable(bytes).rows }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        rows.filter { $0.words.count >= 2 }.map { .loaderDisk(bytes, $0.ranges[1]) }
    }
}
