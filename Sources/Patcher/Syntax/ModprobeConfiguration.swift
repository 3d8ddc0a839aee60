/// modprobe.conf, and the files beside it.
package struct ModprobeConfiguration: ConfigurationSyntax {
    package static let kind = ConfigurationKind("modprobe")
    package static let places: [ConfigurationPlace] = [
        .path(main), .path("/etc/modprobe.conf.local"), .directory("/etc/modprobe.d"),
    ]
    private static let main = "/etc/modprobe.conf"

    /// Its rows.
    package let rows: [FieldTable.Row]
    /// It is modprobe.conf itself, which Red Hat's mkinitrd reads.
    let isMain: Bool

    package init(_ bytes: [UInt8], path: String) {
        rows = FieldTable(bytes).rows
        isMain = path == Self.main
    }
}
