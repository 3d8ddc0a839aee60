internal import GuestTree
package import Storage

/// Why a change cannot be made on a volume.
package struct Obstacle: Sendable, Equatable {
    /// The kind of change.
    package var change: Capabilities.Changes
    /// The volume's name.
    package var volume: String
    /// What it holds.
    package var kind: VolumeIdentity.Kind
    /// Why it allows less than others of its kind.
    package var restriction: String?

    /// For people.
    package var sentence: Sentence {
        if let restriction { return "on \(volume) (\(kind.rawValue)) \(restriction)" }
        return switch change {
        case .names: "on \(volume) (\(kind.rawValue)) names can be read here and not changed"
        case .label: "the label of \(volume) (\(kind.rawValue)) cannot be set here"
        default: "files on \(volume) (\(kind.rawValue)) can be read here and not changed"
        }
    }
}

extension PlanDraft {
    /// Takes out of the plan what a volume's file system cannot do, and advises it instead. A plan whose names cannot be
    /// written is worth nothing: `unwritableNames` then says why there is none.
    mutating func withholdWhatCannotBeWritten() {
        for file in guest.files {
            guard let draft = files[file.file.key], !draft.edits.isEmpty else { continue }
            if let made = GeneratedFile(path: file.file.displayPath) {
                files[file.file.key] = FileDraft(file: draft.file, original: draft.original)
                if draft.edits.contains(where: { $0.repair == .names }) {
                    unwritableNames = unwritableNames ?? .generatedFile(path: file.file.displayPath, made)
                }
                advise(
                    draft.edits[0].repair, file,
                    "it is made by \(made.system) and not changed: \(made.remedy)")
                continue
            }
            guard
                let obstacle = obstacle(to: .contents, on: file.file.volume)
            else { continue }
            files[file.file.key] = FileDraft(file: draft.file, original: draft.original)
            var told: [Repair] = []
            for repair in draft.edits.map(\.repair) where !told.contains(repair) {
                told.append(repair)
                let changes = draft.edits.filter { $0.repair == repair }.map { edit in
                    "\"\(edit.old.displayText)\" to \"\(edit.new.displayText)\""
                }
                advise(
                    repair, file,
                    "\(obstacle.sentence); change \(changes.joined(separator: ", ")) by hand")
            }
            if unwritableNames == nil, told.contains(.names) {
                unwritableNames = .unwritableNames(path: file.file.displayPath, obstacle)
            }
        }
        let actions = otherActions
        otherActions = []
        for action in actions {
            guard let (change, volume, what) = Self.need(of: action.kind),
                let obstacle = obstacle(to: change, on: volume)
            else {
                otherActions.append(action)
                continue
            }
            for repair in action.repairs { advise(repair, nil, "\(obstacle.sentence); \(what) by hand") }
        }
    }

    /// What an action asks of which volume, and how people do it; nil for what is no file system's affair.
    private static func need(
        of kind: Action.Kind
    ) -> (change: Capabilities.Changes, volume: Int, what: String)? {
        switch kind {
        case .edit(let edit): (.contents, edit.file.volume, "change \(edit.file.displayPath)")
        case .create(let place, _, _): (.names, place.directory.volume, "make \(place.path.displayText)")
        case .copy(let file, let place):
            (
                .names, place.directory.volume,
                "copy \(file.displayPath) to \(place.path.displayText)"
            )
        case .replace(let file, let source):
            (.contents, file.volume, "copy \(source.displayPath) over \(file.displayPath)")
        case .rename(let place, let newName):
            (.names, place.directory.volume, "rename \(place.path.displayText) to \(newName.displayText)")
        case .remove(let place): (.names, place.directory.volume, "remove \(place.path.displayText)")
        case .setLabel(let volume, let label): (.label, volume, "set the label \(label.displayText)")
        case .deviceBytes: nil
        }
    }

    /// Why a change cannot be made on a volume; nil when it can.
    func obstacle(to change: Capabilities.Changes, on volume: Int) -> Obstacle? {
        let known = guest.capabilities[volume] ?? Capabilities()
        guard !known.allows(change) else { return nil }
        return Obstacle(
            change: change, volume: guest.volumes[volume].name, kind: guest.volumes[volume].identity.kind,
            restriction: known.restriction)
    }
}
