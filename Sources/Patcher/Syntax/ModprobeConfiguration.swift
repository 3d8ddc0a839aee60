/// modprobe.conf.
package struct ModprobeConfiguration: ConfigurationSyntax {
    package static let kind = ConfigurationKind("modprobe")
    package static let places: [ConfigurationPlace] = [.path("/etc/modprobe.conf")]

    /// Its rows.
    package let rows: [FieldTable.Row]

    package init(_ bytes: [UInt8], path: String) { rows = FieldTable(bytes).rows }
}
