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

    private static let extended: Set<String> = ["ext2", "ext3", "ext4", "ext4dev"]
    private static let known: Set<String> = extended.union([
        "xfs", "btrfs", "vfat", "jfs", "reiserfs", "f2fs",
    ])

    /// The last of several counts; a list is tried from its begin. Of the extended file systems each may mount another.
    private static func wrongType(_ item: MenuEntry, _ kind: VolumeIdentity.Kind) -> String? {
        guard let text = value("rootfstype", item) else { return nil }
        let words = text.split(separator: ",").map { String($0) }
        guard !words.isEmpty, words.allSatisfy({ known.contains($0) }), known.contains(kind.rawValue) else {
            return nil
        }
        let mounts = words.contains { word in
            word == kind.rawValue || extended.contains(word) && extended.contains(kind.rawValue)
        }
        return mounts ? nil : "rootfstype=\(text)"
    }

    /// Subvolumes are btrfs's alone, and an unknown option is an error of the mount.
    private static func wrongOption(_ item: MenuEntry, _ kind: VolumeIdentity.Kind) -> String? {
        guard let text = value("rootflags", item), extended.contains(kind.rawValue) || kind.rawValue == "xfs"
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
