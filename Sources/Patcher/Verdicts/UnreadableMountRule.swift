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
        guard guest.bootEntries.isEmpty,
            let esp = hidden.first(where: { ["/boot/efi", "/efi"].contains($0.path) })
        else { return nil }
        return .unreadableMenu(path: esp.path, volume: guest.volumes[esp.volume].name)
    }
}
