internal import Storage

/// What is wrong with the copies of a GPT.
package enum GPTCheck {
    /// Findings of severity `damage` are what `GPTRepair` mends.
    static func findings(_ location: GPTLocation, mbr: MBRSector?) -> [Finding] {
        var found: [Finding] = []
        func add(_ severity: Severity, _ code: LayoutCode, _ message: String) {
            found.append(Finding(severity, code, message, repair: severity == .damage ? .gpt : nil))
        }
        guard let (best, source) = location.best else { return [] }
        if let flaw = location.primary.flaw {
            add(
                .damage, .gptPrimaryDamaged,
                "the primary GPT at sector 1 \(flaw.rawValue); the \(source.rawValue) is used")
        }
        switch (location.backup.copy, location.displaced?.copy) {
        case (let backup?, _):
            if !backup.header.describesSameTable(as: best.header) {
                add(.damage, .gptCopiesDiffer, "the two copies of the GPT describe different tables")
            }
            if backup.header.alternateSector != 1 {
                add(.damage, .gptBackupAddress, "the backup GPT gives a wrong address for the primary")
            }
            if source == .primary, best.header.alternateSector != backup.header.ownSector {
                add(.damage, .gptPrimaryAddress, "the primary GPT gives a wrong address for the backup")
            }
        case (nil, let displaced?):
            add(
                .damage, .gptBackupDisplaced,
                "the backup GPT is at sector \(displaced.header.ownSector), not at the disk's end; the disk has grown"
            )
        case (nil, nil):
            let flaw = location.displaced?.flaw ?? location.backup.flaw ?? .unreachable
            let truncated = best.header.alternateSector >= location.geometry.sectorCount
            add(
                .damage, truncated ? .gptBackupMissing : .gptBackupDamaged,
                truncated
                    ? "the disk ends before the backup GPT; the image may be truncated"
                    : "the backup GPT at the disk's end \(flaw.rawValue)")
        }
        if best.header.lastUsable >= location.geometry.sectorCount {
            add(.warning, .gptUsablePastEnd, "the GPT describes a larger disk than this")
        }
        found += mbrFindings(mbr)
        return found
    }

    private static func mbrFindings(_ mbr: MBRSector?) -> [Finding] {
        guard let mbr, mbr.protectiveEntry != nil else {
            return [
                Finding(
                    .warning, LayoutCode.gptNoProtectiveMBR,
                    "the GPT has no protective MBR; Linux ignores it unless it is started with \"gpt\"")
            ]
        }
        guard mbr.entries.contains(where: { $0.isUsed && $0.type != MBRType.protective }) else { return [] }
        return [
            Finding(
                .note, LayoutCode.gptHybridMBR,
                "the MBR is a hybrid: it lists partitions of its own; the GPT counts"
            )
        ]
    }
}
