/// Entries that people add to GRUB 2's menu. They may be part of another file already, so that none counts as an entry
/// of its own.
package struct GRUBCustomMenu: GRUB2Text {
    package static let kind = ConfigurationKind("grub-custom")
    package static var bootCode: BootCode? { .grub2 }
    package static let places: [ConfigurationPlace] = [
        .path("/boot/grub/custom.cfg"), .path("/boot/grub2/custom.cfg"), .path("/boot/grub2/user.cfg"),
    ]

    package var menu: GRUB2Config

    package init(_ bytes: [UInt8], path: String) { menu = GRUB2Config(bytes) }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] { menu.deviceSites(in: bytes) }
    package func sharedCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        menu.sharedCommandLines(in: bytes)
    }
}
