/// The default that GRUB legacy has saved: a number on the first line.
package struct GRUBLegacySaved: ConfigurationSyntax {
    package static let kind = ConfigurationKind("grub-legacy-saved")
    package static let places: [ConfigurationPlace] = [.path("/boot/grub/default")]

    /// The number of the entry.
    package let index: Int?

    package init(_ bytes: [UInt8], path: String) {
        index = FieldTable(bytes).rows.first?.words.first.flatMap { DiskName.smallNumber($0) }
    }
}
