internal import Storage

/// Mounts that may hold names that must change, and cannot be read: half a patch would be worse than none.
enum UnreadableMountRule: RefusalRule {
    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? {
        let guest = draft.guest
        let hidden = guest.mounts.filter { !$0.isReadable }
        if let mount = hidden.first(where: { ["/boot", "/usr", "/etc"].contains($0.path) }) {
            let volume = guest.volumes[mount.volume]
            return .unreadableMount(path: mount.path, volume: volume.name, kind: volume.identity.kind)
        }
        guard !guest.isMenuRead, let partition = guest.efiSystemPartition,
            guest.capabilities[partition] == nil, guest.namesDevices
        else { return nil }
        let path = hidden.first { $0.volume == partition }?.path ?? "/boot/efi"
        return .unreadableMenu(path: path, volume: guest.volumes[partition].name)
    }
}

extension LinuxSystem {
    /// Something in the files that can be read names a device by what another controller changes, so that the menu may too.
    fileprivate var namesDevices: Bool {
        references.contains { reference in
            if case .reported = reference.use { return false }
            return !reference.isStable && reference.resolution != .notADisk
        }
    }
}
