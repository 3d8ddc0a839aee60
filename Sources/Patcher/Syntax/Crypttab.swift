/// /etc/crypttab (crypttab(5)): name, device, key, options.
package struct Crypttab: ConfigurationSyntax {
    package static let kind = ConfigurationKind("crypttab")
    package static let places: [ConfigurationPlace] = [.path("/etc/crypttab")]

    /// Its rows.
    package let rows: [FieldTable.Row]

    package init(_ bytes: [UInt8], path: String) { rows = FieldTable(bytes).rows }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        rows.filter { $0.words.count >= 2 }.map {
            DeviceSite(range: $0.ranges[1], text: $0.words[1], use: .crypttab(name: $0.words[0]))
        }
    }
}
