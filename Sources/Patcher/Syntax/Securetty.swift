/// /etc/securetty: terminals on which root may log in.
package struct Securetty: ConfigurationSyntax {
    package static let kind = ConfigurationKind("securetty")
    package static let places: [ConfigurationPlace] = [.path("/etc/securetty")]
    package static var isNeededToBoot: Bool { false }

    /// Its rows.
    package let rows: [FieldTable.Row]

    package init(_ bytes: [UInt8], path: String) { rows = FieldTable(bytes).rows }
}
