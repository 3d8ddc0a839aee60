/// interfaces(5) of Debian.
package struct Interfaces: ConfigurationSyntax {
    package static let kind = ConfigurationKind("interfaces")
    package static let places: [ConfigurationPlace] = [
        .path("/etc/network/interfaces"), .directory("/etc/network/interfaces.d"),
    ]

    /// Its rows.
    package let rows: [FieldTable.Row]

    package init(_ bytes: [UInt8], path: String) { rows = FieldTable(bytes).rows }
}
