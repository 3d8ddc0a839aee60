/// xorg.conf.
package struct XorgConfiguration: ConfigurationSyntax {
    package static let kind = ConfigurationKind("xorg")
    package static let places: [ConfigurationPlace] = [
        .path("/etc/X11/xorg.conf"), .path("/etc/X11/XF86Config-4"),
    ]
    package static var isNeededToBoot: Bool { false }

    package init(_ bytes: [UInt8], path: String) {}
}
