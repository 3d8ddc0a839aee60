internal import GuestTree
internal import Storage

/// A plan is carried out once: the guest as it will be is planned for again, and must need nothing more. A name that is left
/// as it is because of what other names say must not come to mean something when those are gone.
enum LastingRule: RefusalRule {
    static func refusal(
        of draft: PlanDraft, _ verdicts: [EntryVerdict]
    ) throws(StorageError) -> VerdictReason? {
        let actions = draft.actions()
        guard !actions.isEmpty else { return nil }
        let after = try draft.guest.edited(by: actions)
        if let reason = changedMeaning(of: draft.guest, after, actions) { return reason }
        // What is replaced as a whole, and not read for this, is replaced once.
        let again = try Planner.draft(after, draft.request, draft.drivers).actions().lazy.compactMap(\.edit)
            .first { !$0.edits.isEmpty }
        return again.map { .wouldChangeAgain(path: $0.file.displayPath) }
    }

    /// The first name that cannot be told before and can after.
    private static func changedMeaning(
        of guest: LinuxSystem, _ after: LinuxSystem, _ actions: [Action]
    ) -> VerdictReason? {
        for (before, later) in guest.references(after, actions) {
            if case .reported = before.use { continue }
            guard let reason = before.unresolved, let meaning = later.resolvedName else { continue }
            return .wouldBeTakenFor(
                volume: meaning, name: before.text, path: before.path, line: before.line, reason)
        }
        return nil
    }
}

extension LinuxSystem {
    /// Each device name that is still there after these actions, as it is read before and after.
    package func references(_ after: LinuxSystem, _ actions: [Action]) -> [(
        before: Reference, after: Reference
    )] {
        let edits = Dictionary(
            actions.compactMap(\.edit).map { ($0.file.key, $0) }, uniquingKeysWith: { first, _ in first })
        return references.compactMap { reference in
            let start = reference.range.lowerBound
            let place = edits[reference.file]?.place(of: start) ?? start
            return after.reference(in: reference.file, at: place).map { (reference, $0) }
        }
    }
}

extension FileEdit {
    /// Where a token begins, after the edits, that begins at `start` before.
    func place(of start: Int) -> Int {
        edits.prefix { $0.range.upperBound <= start }.reduce(start) {
            $0 + $1.new.count - $1.range.count
        }
    }
}
