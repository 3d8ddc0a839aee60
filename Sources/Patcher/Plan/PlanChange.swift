internal import GuestTree
internal import Storage

/// One change of a plan as people count them: the same word replaced for the same reason, wherever it stands.
package struct PlanChange: Sendable, Equatable {
    /// What becomes of what: "/dev/sda3 → UUID=…".
    package var what: String
    /// Why.
    package var reason: String
    /// Where, as "path:line", in order; empty for what lies in no file.
    package var places: [String]

    /// In one line.
    package var sentence: String {
        "\(what): \(reason)" + (places.isEmpty ? "" : " (\(places.joined(separator: ", ")))")
    }

    /// Every change, in the plan's order.
    package static func all(of plan: Plan) -> [PlanChange] {
        var changes: [PlanChange] = []
        var indexes: [[String]: Int] = [:]
        func add(_ what: String, _ reason: String, _ place: String?) {
            let key = [what, reason]
            let index = indexes[key] ?? changes.count
            if index == changes.count {
                indexes[key] = index
                changes.append(PlanChange(what: what, reason: reason, places: []))
            }
            // Places come in their order, so that equal ones come after each other.
            guard let place, changes[index].places.last != place else { return }
            changes[index].places.append(place)
        }
        for action in plan.actions {
            guard let edit = action.edit, !edit.edits.isEmpty else {
                add(summary(action.kind), action.reason, nil)
                continue
            }
            let path = edit.file.displayPath
            var line = 1
            var position = 0
            for token in edit.edits where !isPadding(token, of: edit) {
                let start = min(max(token.range.lowerBound, position), edit.expected.count)
                line += edit.expected[position..<start].count { $0 == .newline }
                position = start
                add(summary(token), token.reason, "\(path):\(line)")
            }
        }
        return changes
    }

    /// What keeps an environment block at its size is no change that anyone has to look at.
    private static func isPadding(_ token: TokenEdit, of edit: FileEdit) -> Bool {
        edit.edits.count > 1 && token.range.upperBound == edit.expected.count
            && (token.old + token.new).allSatisfy { $0 == .hash }
    }

    private static func summary(_ edit: TokenEdit) -> String {
        // Several lines are shown as one.
        func shown(_ text: [UInt8]) -> String {
            text.split(separator: .newline).map { Array($0).displayText }.joined(separator: "; ")
        }
        let (old, new) = (shown(edit.old), shown(edit.new))
        if new == "#", old.isEmpty { return "a row becomes a comment" }
        if old.isEmpty { return "“\(new)” is put in" }
        return new.isEmpty ? "“\(old)” is taken out" : "\(old) → \(new)"
    }

    private static func summary(_ kind: Action.Kind) -> String {
        switch kind {
        case .edit(let edit): "replace \(edit.file.displayPath)"
        case .create(let place, _, _): "create \(place.path.displayText)"
        case .copy(let file, let place): "copy \(file.displayPath) to \(place.path.displayText)"
        case .replace(let file, let source): "copy \(source.displayPath) over \(file.displayPath)"
        case .rename(let place, let newName): "rename \(place.path.displayText) to \(newName.displayText)"
        case .remove(let place): "remove \(place.path.displayText)"
        case .setLabel(_, let label): "set label \(label.displayText)"
        case .deviceBytes(_, let offset, _, let contents): "write \(contents.count) bytes at \(offset.hex)"
        }
    }
}
