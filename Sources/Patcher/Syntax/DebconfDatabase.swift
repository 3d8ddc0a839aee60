/// debconf's config.dat.
package struct DebconfDatabase: ConfigurationSyntax {
    package static let kind = ConfigurationKind("debconf")
    package static let places: [ConfigurationPlace] = [.path("/var/cache/debconf/config.dat")]
    package static var isNeededToBoot: Bool { false }

    package init(_ bytes: [UInt8], path: String) {}
}
