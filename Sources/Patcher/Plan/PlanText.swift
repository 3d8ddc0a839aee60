internal import GuestTree
internal import Storage

/// A plan for people.
package enum PlanText {
    /// The diff, the other actions, what could not be resolved, advice and verdicts. Bytes, because the diff shows
    /// the guest's own.
    package static func text(
        of plan: Plan, guestTitle: String, naming name: (PlanRemedy) -> String = \.plain
    ) -> [UInt8] {
        var text: [UInt8] = []
        // Titles and paths are the guest's, and could steer a terminal that a pipe ends at.
        func line(_ words: String) { text += Array(Array(words.utf8).displayText.utf8) + [.newline] }
        func words(_ sentence: Sentence) -> String { sentence.text(naming: name) }
        line(
            "\(guestTitle): from \(plan.source.summary) to \(plan.target.name) "
                + "(boot disk behind \(plan.controller.rawValue))")
        for action in plan.actions {
            if let edit = action.edit {
                text += UnifiedDiff.bytes(edit)
            } else {
                line("\(summary(action.kind)): \(action.reason)")
            }
        }
        if plan.actions.isEmpty, plan.refusal == nil { line("nothing to do") }
        for reference in plan.unresolved {
            if let reason = reference.unresolved {
                line(
                    "unresolved: \(reference.path):\(reference.line): \(reference.text): \(words(reason.sentence))"
                )
            }
        }
        for item in plan.advice {
            line("advice: " + (item.path.map { "\($0): " } ?? "") + words(item.message))
        }
        for verdict in plan.verdicts {
            line(
                "\(verdict.isDefault ? "default entry" : "entry") “\(verdict.title)”: \(words(verdict.summary))"
            )
            if case .cannot = verdict.outcome, let symptom = verdict.symptom {
                line("    it would stop with: \(symptom)")
            }
            for note in verdict.notes { line("    \(words(note.sentence))") }
        }
        if let refusal = plan.refusal { line("nothing is written: \(words(refusal.sentence))") }
        return text
    }

    private static func summary(_ kind: Action.Kind) -> String {
        switch kind {
        case .edit(let edit): "edit \(edit.file.displayPath)"
        case .create(let place, _, _): "create \(place.path.displayText)"
        case .rename(let place, let newName): "rename \(place.path.displayText) to \(newName.displayText)"
        case .remove(let place): "remove \(place.path.displayText)"
        case .setLabel(_, let label): "set label \(label.displayText)"
        case .deviceBytes(_, let offset, _, let contents): "write \(contents.count) bytes at \(offset.hex)"
        }
    }
}
