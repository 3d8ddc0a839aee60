/// udev's 70-persistent-cd.rules.
package struct CDRules: ConfigurationSyntax {
    package static let kind = ConfigurationKind("cd-rules")
    package static let places: [ConfigurationPlace] = [.path("/etc/udev/rules.d/70-persistent-cd.rules")]
    package static var isNeededToBoot: Bool { false }

    package init(_ bytes: [UInt8], path: String) {}
}
