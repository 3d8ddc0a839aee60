package import GuestTree
internal import Storage

/// What a guest has for naming its network cards.
package struct NetworkInspection: Sendable, Equatable {
    /// Where .link files go.
    package var linkDirectory: DirectoryPlace?
    /// Where udev's rules go.
    package var ruleDirectory: DirectoryPlace?
    /// Names that are taken in either.
    package var takenNames: Set<String> = []
    /// Directories whose files bear a card's address in their names, by their paths.
    package var cardDirectories: [String: GuestFile] = [:]
    /// The version of systemd's shared library.
    package var systemdVersion: Int?
    /// systemd's own .link files are there.
    package var hasLinkFiles = false
    /// udev is there.
    package var hasUdev = false
    /// The file that gives cards names by their place is masked.
    package var keepsKernelNames = false

    /// Nothing known.
    init() {}

    init(_ tree: some GuestTree) throws(StorageError) {
        linkDirectory = try DirectoryPlace.find("/etc/systemd/network", in: tree)
        ruleDirectory = try DirectoryPlace.find("/etc/udev/rules.d", in: tree)
        for path: GuestPath in ["/etc/systemd/network", "/etc/udev/rules.d"] {
            takenNames.formUnion(try tree.names(in: path))
        }
        for path in ["/etc/sysconfig/network", "/etc/sysconfig/network-scripts"] {
            if let found = try tree.find(GuestPath(path)), found.attributes.type == .directory {
                cardDirectories[path] = found
            }
        }
        for directory: GuestPath in ["/usr/lib/systemd", "/lib/systemd"] {
            if try tree.exists(directory.appending("network/99-default.link".utf8)) { hasLinkFiles = true }
            for name in try tree.names(in: directory) where name.hasPrefix("libsystemd-shared-") {
                systemdVersion =
                    DiskName.smallNumber(name.dropFirst("libsystemd-shared-".count).prefix(while: \.isNumber))
                    ?? systemdVersion
            }
        }
        for path: GuestPath in ["/etc/udev", "/lib/udev", "/usr/lib/udev", "/sbin/udevd"]
        where try tree.exists(path) {
            hasUdev = true
        }
        for path: GuestPath in [
            "/etc/systemd/network/99-default.link", "/etc/udev/rules.d/80-net-setup-link.rules",
            "/etc/udev/rules.d/80-net-name-slot.rules",
        ] where try tree.exists(path) {
            // A link to nothing, or an empty file; one with words may name cards by their place all the same.
            if try tree.regularFile(path)?.attributes.size ?? 0 == 0 { keepsKernelNames = true }
        }
    }
}
