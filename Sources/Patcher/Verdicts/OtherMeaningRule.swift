internal import Storage

/// A name that cannot be told stays as it is, and must not be what the target calls another of the volumes: that one would be
/// mounted in its place, or overwritten.
enum OtherMeaningRule: RefusalRule {
    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? {
        let volumes = draft.guest.volumes
        for reference in draft.guest.references {
            guard let reason = reference.unresolved, let volume = draft.volumeTaken(for: reference) else {
                continue
            }
            // A row that the boot does not need stands aside.
            if case .fstab(let row) = reference.use, draft.request.wants(.deadRows),
                !DeadRows.isNeeded(row, draft.guest)
            {
                continue
            }
            return .wouldMeanAnother(
                volume: volumes[volume].name, name: reference.text, path: reference.path,
                line: reference.line, reason)
        }
        return nil
    }
}

extension PlanDraft {
    /// The volume that the target gives a name which cannot be told, and that would be used in place of what is meant.
    func volumeTaken(for reference: Reference) -> Int? {
        guard reference.unresolved != nil, !reference.isStable else { return nil }
        return guest.volumes.indices.first { index in
            targetName(ofVolume: index) == reference.text && reference.use.takes(guest.volumes[index])
        }
    }

    /// A row of the fstab that the boot does not need, and that would mount another volume than the one it means.
    func standsAside(_ file: ScannedFile, _ row: Fstab.Row) -> Bool {
        guard !DeadRows.isNeeded(row, guest),
            let reference = guest.reference(in: file, at: row.specRange.lowerBound)
        else { return false }
        return volumeTaken(for: reference) != nil
    }
}

extension DeviceSite.Use {
    /// A start would use that volume by itself, if it bore the name.
    fileprivate func takes(_ volume: Volume) -> Bool {
        let kind = volume.identity.kind
        let holdsFiles = kind.content == .files
        switch self {
        // A swap area that is taken for another loses nothing.
        case .fstab(let row):
            return !row.isNoauto && !row.isSwap && holdsFiles && !row.mountTypes.contradicts(kind)
        case .unit(_, let types): return holdsFiles && types?.contradicts(kind) != true
        case .crypttab(let row): return !row.options.contains("noauto")
        default: return false
        }
    }
}
