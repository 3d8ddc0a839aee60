/// mdadm.conf.
package struct MDConfiguration: ConfigurationSyntax {
    package static let kind = ConfigurationKind("mdadm")
    package static let places: [ConfigurationPlace] = [
        .path("/etc/mdadm.conf"), .path("/etc/mdadm/mdadm.conf"),
    ]
    package static var namesAreRemarkedOn: Bool { false }

    /// Its rows.
    package let rows: [FieldTable.Row]

    package init(_ bytes: [UInt8], path: String) { rows = FieldTable(bytes).rows }

    /// What `DEVICE` names: mdadm looks at nothing else.
    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        rows.filter { $0.words[0].uppercased() == "DEVICE" }.flatMap { row in
            row.ranges.dropFirst().map {
                DeviceSite(range: $0, text: bytes.text($0), use: .reported("device that mdadm looks at"))
            }
        }
    }
}
