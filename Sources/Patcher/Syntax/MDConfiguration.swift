/// mdadm.conf.
package struct MDConfiguration: ConfigurationSyntax {
    package static let kind = ConfigurationKind("mdadm")
    package static let places: [ConfigurationPlace] = [
        .path("/etc/mdadm.conf"), .path("/etc/mdadm/mdadm.conf"),
    ]

    /// Its rows.
    package let rows: [FieldTable.Row]

    package init(_ bytes: [UInt8], path: String) { rows = FieldTable(bytes).rows }
}
