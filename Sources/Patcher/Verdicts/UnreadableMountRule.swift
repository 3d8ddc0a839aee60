internal import Storage

/// Mounts that may hold names that must change, and cannot be read: half a patch would be worse than none.
enum UnreadableMountRule: RefusalRule {
    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? {
        let guest = draft.guest
        let hidden = guest.mounts.filter { !$0.isReadable }
        if let mount = hidden.first(where: { holdsNames($0.path) }) {
            let volume = guest.volumes[mount.volume]
            return .unreadableMount(path: mount.path, volume: volume.name, kind: volume.identity.kind)
        }
        guard !guest.isMenuRead, guest.namesDevices else { return nil }
        // The menu may be on what the fstab does not mount, or under a name that is not known here.
        let unread = guest.volumes.indices.filter {
            guest.capabilities[$0] == nil && guest.volumes[$0].identity.kind.mayHoldFilesOfLinux
        }
        let partition = guest.efiSystemPartition.flatMap { guest.capabilities[$0] == nil ? $0 : nil }
        guard let volume = partition ?? unread.first else { return nil }
        let path = hidden.first { $0.volume == volume }?.path ?? (volume == partition ? "/boot/efi" : "/boot")
        return .unreadableMenu(path: path, volume: guest.volumes[volume].name)
    }

    /// Menus, or files that a start reads, lie there.
    static func holdsNames(_ path: String) -> Bool {
        if ["/boot", "/usr", "/etc"].contains(path) { return true }
        // What is mounted for the loader of UEFI counts where the menu is not elsewhere.
        return path.hasPrefix("/etc/") || path.hasPrefix("/boot/") && path != "/boot/efi"
    }
}

extension LinuxSystem {
    /// Mounts that the boot needs, or that may hold names which must change.
    package var neededMounts: [Mount] {
        mounts.filter { UnreadableMountRule.holdsNames($0.path) || DeadRows.needed.contains($0.path) }
    }

    /// Something in the files that can be read names a device by what another controller changes, so that the menu may too.
    fileprivate var namesDevices: Bool {
        references.contains { reference in
            if case .reported = reference.use { return false }
            return !reference.isStable && reference.resolution != .notADisk
        }
    }
}
