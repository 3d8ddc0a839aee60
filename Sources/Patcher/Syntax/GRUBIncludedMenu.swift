/// A file that a menu of GRUB 2 reads by `source` or `configfile`. Its entries are offered; which entry boots by itself is for
/// the menu that reads it to say.
package struct GRUBIncludedMenu: GRUB2Text, BootMenu {
    package static let kind = ConfigurationKind("grub2-included")
    package static var bootCode: BootCode? { .grub2 }
    package static var setsVariables: Bool { true }
    /// Wherever a menu says.
    package static let places: [ConfigurationPlace] = []

    package var menu: GRUB2Config

    package init(_ bytes: [UInt8], path: String) { menu = GRUB2Config(bytes) }

    package var entries: [BootEntry] { menu.entries }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] { menu.deviceSites(in: bytes) }
    package func sharedCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        menu.sharedCommandLines(in: bytes)
    }

    package func defaultEntry(of guest: LinuxSystem) -> BootEntry? { nil }
}
