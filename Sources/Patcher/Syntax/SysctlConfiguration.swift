/// sysctl.conf.
package struct SysctlConfiguration: ConfigurationSyntax {
    package static let kind = ConfigurationKind("sysctl")
    package static let places: [ConfigurationPlace] = [.path("/etc/sysctl.conf")]

    package init(_ bytes: [UInt8], path: String) {}
}
