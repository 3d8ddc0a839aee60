/// LVM's devices file (lvmdevices(8)): rows of `NAME=value` words.
package struct LVMDevicesFile: ConfigurationSyntax {
    package static let kind = ConfigurationKind("lvm-devices")
    package static let places: [ConfigurationPlace] = [.path("/etc/lvm/devices/system.devices")]

    /// Its rows.
    package let rows: [FieldTable.Row]

    package init(_ bytes: [UInt8], path: String) { rows = FieldTable(bytes).rows }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        rows.flatMap { KernelCommandLine(bytes, words: $0.ranges).arguments }.compactMap { word in
            guard word.name == "DEVNAME", let range = word.valueRange else { return nil }
            return DeviceSite(range: range, text: bytes.text(range), use: .lvmDevice)
        }
    }
}
