internal import GuestTree
internal import Storage

/// A link that starts a guest tool at boot.
package struct ToolLink: Sendable, Equatable {
    /// The hypervisor that the tool serves.
    package var hypervisor: Hypervisor
    /// The link.
    package var place: NamePlace
    /// The name under which it starts nothing.
    package var disabledName: [UInt8]

    /// Words in the names of what starts each tool.
    private static let words: [(String, Hypervisor)] = [
        ("vmware-tools", .vmware), ("open-vm-tools", .vmware), ("vmtoolsd", .vmware), ("vgauth", .vmware),
        ("vboxadd", .virtualbox), ("virtualbox-guest", .virtualbox),
        ("xe-linux-distribution", .xenserver), ("xe-daemon", .xenserver),
        ("hypervkvpd", .hyperv), ("hypervvssd", .hyperv), ("hypervfcopyd", .hyperv),
        ("hv-kvp-daemon", .hyperv),
        ("hv_kvp_daemon", .hyperv), ("qemu-guest-agent", .kvm), ("qemu-ga", .kvm),
        ("prltoolsd", .parallels), ("prl-x11", .parallels),
    ]

    /// No guest starts tools by more links.
    private static let limit = 500

    /// Looks into System V's run levels and systemd's wants.
    static func find(in tree: some GuestTree) throws(StorageError) -> [ToolLink] {
        var links: [ToolLink] = []
        var seen: Set<FileKey> = []
        for level in ["0", "1", "2", "3", "4", "5", "6", "S"] {
            for directory in ["/etc/rc.d/rc\(level).d", "/etc/rc\(level).d", "/etc/init.d/rc\(level).d"] {
                // "S99x" starts x; a name with another first letter is passed over.
                try add(
                    GuestPath(directory), &links, &seen, starting: { $0.first == "S" },
                    disabled: { "disabled-" + $0 })
            }
        }
        for name in try tree.names(in: "/etc/systemd/system") where name.hasSuffix(".wants") {
            // A name with another suffix is no unit.
            try add(
                GuestPath("/etc/systemd/system/\(name)"), &links, &seen,
                starting: { $0.hasSuffix(".service") },
                disabled: { $0 + ".disabled" })
        }
        func add(
            _ path: GuestPath, _ links: inout [ToolLink], _ seen: inout Set<FileKey>,
            starting: (String) -> Bool,
            disabled: (String) -> String
        ) throws(StorageError) {
            guard let directory = try tree.find(path), directory.attributes.type == .directory,
                seen.insert(directory.key).inserted
            else { return }
            for name in try tree.names(in: path) where starting(name) {
                guard let tool = words.first(where: { name.contains($0.0) }) else { continue }
                guard links.count < limit else { return }
                links.append(
                    ToolLink(
                        hypervisor: tool.1, place: NamePlace(name, in: directory),
                        disabledName: Array(disabled(name).utf8)))
            }
        }
        return links
    }
}
