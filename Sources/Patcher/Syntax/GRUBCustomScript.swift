/// /etc/grub.d/40_custom: a script whose text the next making of the menu copies into it.
package struct GRUBCustomScript: GRUB2Text {
    package static let kind = ConfigurationKind("grub-custom")
    package static let places: [ConfigurationPlace] = [
        .directory("/etc/grub.d", prefix: "4", suffix: "_custom")
    ]

    package var menu: GRUB2Config

    package init(_ bytes: [UInt8], path: String) { menu = GRUB2Config(bytes) }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] { menu.deviceSites(in: bytes) }
    package func sharedCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        menu.sharedCommandLines(in: bytes)
    }
}
