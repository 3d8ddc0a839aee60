/// The rescue or fallback initramfs was asked for: without one, nothing else is done in its place.
enum FallbackEntryRule: RefusalRule {
    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? {
        guard draft.request.drivers == .fallback else { return nil }
        for item in draft.guest.defaultEntries where !draft.hasGeneralInitramfs(item.entry) {
            if let entry = draft.fallback(beside: item) {
                let isMoved = draft.movedDefaults[item.key.file] != nil
                if !isMoved { return .noFallbackEntry(.cannotBeDefault(entry.entry.title)) }
            } else if let stale = draft.staleRescue(beside: item) {
                return .noFallbackEntry(.withoutModules(stale.entry.title, release: stale.release))
            } else {
                return .noFallbackEntry(.absent)
            }
        }
        return nil
    }
}

/// Why the rescue or fallback initramfs cannot be had.
package enum NoFallback: Sendable, Equatable {
    /// No entry has one.
    case absent
    /// The entry of that title starts a kernel whose modules are not installed any more.
    case withoutModules(String, release: String)
    /// Nothing in the menu can make the entry of that title the default.
    case cannotBeDefault(String)

    /// For people.
    var words: String {
        switch self {
        case .absent: "the guest has no entry with a rescue or fallback initramfs"
        case .withoutModules(let title, let release):
            "“\(title)” starts kernel \(release), whose modules are not installed any more, and no other entry has a rescue or fallback initramfs"
        case .cannotBeDefault(let title): "“\(title)” cannot be made the default entry"
        }
    }
}
