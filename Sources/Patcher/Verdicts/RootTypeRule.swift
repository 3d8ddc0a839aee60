internal import Storage

/// Whether the root can be mounted as the kernel is told: as what it is, and with options that its file system knows.
enum RootTypeRule: VerdictRule {
    static func judge(_ item: MenuEntry, in draft: PlanDraft) -> [VerdictFinding] {
        let guest = draft.guest
        let kind = guest.volumes[guest.rootVolume].identity.kind
        guard !item.entry.initrds.isEmpty, let argument = wrongType(item, kind) ?? wrongOption(item, kind)
        else {
            return []
        }
        return [
            VerdictFinding(
                .rootTypeWrong(argument, kind: kind),
                symptom: "mount: mounting /dev/… on /root failed: Invalid argument")
        ]
    }

    /// The last of several counts; a list is tried from its begin.
    private static func wrongType(_ item: MenuEntry, _ kind: VolumeIdentity.Kind) -> String? {
        guard let text = value("rootfstype", item) else { return nil }
        let named = text.split(separator: ",").map { LinuxFileSystem.mounted(as: String($0)) }
        // What an image is mounted as says nothing of the root beneath it.
        guard let known = LinuxFileSystem.of(kind), known.use != .image, !named.isEmpty,
            named.allSatisfy({ $0.contains { $0.use != .image } })
        else { return nil }
        return named.contains { $0.contains { $0.kind == kind } } ? nil : "rootfstype=\(text)"
    }

    /// An unknown option is an error of the mount.
    private static func wrongOption(_ item: MenuEntry, _ kind: VolumeIdentity.Kind) -> String? {
        guard let text = value("rootflags", item), LinuxFileSystem.of(kind)?.hasSubvolumes == false
        else { return nil }
        let isSubvolume = text.split(separator: ",").contains {
            $0.hasPrefix("subvol=") || $0.hasPrefix("subvolid=")
        }
        return isSubvolume ? "rootflags=\(text)" : nil
    }

    private static func value(_ name: String, _ item: MenuEntry) -> String? {
        guard let argument = item.entry.commandLine.last(name), !argument.isOpaque,
            let range = argument.valueRange
        else { return nil }
        return item.file.bytes.text(range)
    }
}
