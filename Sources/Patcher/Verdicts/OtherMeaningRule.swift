internal import Storage

/// A name that cannot be told stays as it is, and must not be what the target calls another of the volumes: that one would be
/// mounted in its place, or overwritten.
enum OtherMeaningRule: RefusalRule {
    static func refusal(of draft: PlanDraft, _ verdicts: [EntryVerdict]) -> VerdictReason? {
        let volumes = draft.guest.volumes
        for reference in draft.guest.references {
            guard let reason = reference.unresolved, !reference.isStable,
                let volume = volumes.indices.first(where: {
                    draft.targetName(ofVolume: $0) == reference.text && takes(reference.use, volumes[$0])
                })
            else { continue }
            return .wouldMeanAnother(
                volume: volumes[volume].name, name: reference.text, path: reference.path,
                line: reference.line, reason)
        }
        return nil
    }

    /// The row would use that volume at the next start.
    private static func takes(_ use: DeviceSite.Use, _ volume: Volume) -> Bool {
        let kind = volume.identity.kind
        let holdsFiles = ![.swap, .lvm2, .mdRAID, .luks, .unknown].contains(kind)
        switch use {
        // A swap area that is taken for another loses nothing.
        case .fstab(let row): return !row.isNoauto && !row.isSwap && holdsFiles && !row.contradicts(kind)
        case .unit: return holdsFiles
        case .crypttab(let row): return !row.options.contains("noauto")
        default: return false
        }
    }
}
