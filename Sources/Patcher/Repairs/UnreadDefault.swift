internal import Storage

/// Which entry boots by itself is written where nobody could look.
enum UnreadDefault: PlanStep {
    static let repair = Repair.defaultEntry
    static let reads: [any ConfigurationSyntax.Type] = [LoaderEntry.self]

    static func contribute(to draft: inout PlanDraft) {
        guard let volume = draft.guest.volumeOfUnreadLoaderConfiguration else { return }
        draft.advise(
            .defaultEntry, nil,
            "which entry boots by itself is said by \(draft.guest.release?.family == .redHat ? "saved_entry in grubenv" : "loader.conf") on \(draft.guest.volumes[volume].name), which cannot be read here"
        )
    }
}
