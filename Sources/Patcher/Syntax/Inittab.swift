/// /etc/inittab.
package struct Inittab: ConfigurationSyntax {
    package static let kind = ConfigurationKind("inittab")
    package static let places: [ConfigurationPlace] = [.path("/etc/inittab")]

    package init(_ bytes: [UInt8], path: String) {}
}
