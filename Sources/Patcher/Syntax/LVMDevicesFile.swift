/// LVM's devices file (lvmdevices(8)): rows of `NAME=value` words.
package struct LVMDevicesFile: ConfigurationSyntax {
    package static let kind = ConfigurationKind("lvm-devices")
    package static let places: [ConfigurationPlace] = [.path("/etc/lvm/devices/system.devices")]

    /// Its rows.
    package let rows: [FieldTable.Row]

    /// Every device is named by what the machine's disks tell of themselves, and by nothing else: on another machine LVM looks at
    /// none. One that knows which machine the file is for (2.03.23) looks for the volumes' own identifiers elsewhere.
    let isTiedToSerials: Bool

    package init(_ bytes: [UInt8], path: String) {
        rows = FieldTable(bytes).rows
        let words = rows.map { KernelCommandLine(bytes, words: $0.ranges) }
        let types = words.compactMap { $0.last("IDTYPE")?.valueRange.map { bytes.text($0) } }
        isTiedToSerials =
            !types.isEmpty && types.allSatisfy { ["sys_wwid", "sys_serial"].contains($0) }
            && !words.contains { $0.has("PRODUCT_UUID") || $0.has("HOSTNAME") }
    }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        rows.flatMap { KernelCommandLine(bytes, words: $0.ranges).arguments }.compactMap { word in
            guard word.name == "DEVNAME", let range = word.valueRange else { return nil }
            return DeviceSite(range: range, text: bytes.text(range), use: .lvmDevice)
        }
    }
}
