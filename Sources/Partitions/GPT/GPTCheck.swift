internal import Storage

/// What is wrong with the copies of a GPT.
package enum GPTCheck {
    /// Findings of severity `damage` are what `GPTRepair` mends.
    static func findings(_ location: GPTLocation, mbr: MBRSector?) -> [LayoutFinding] {
        var found: [LayoutFinding] = []
        func add(_ severity: LayoutFinding.Severity, _ code: String, _ message: String) {
            found.append(LayoutFinding(severity, code, message))
        }
        guard let (best, source) = location.best else { return [] }
        if let flaw = location.primary.flaw {
            add(
                .damage, "gpt-primary-damaged",
                "the primary GPT at sector 1 \(flaw.rawValue); the \(source.rawValue) is used")
        }
        switch (location.backup.copy, location.displaced?.copy) {
        case (let backup?, _):
            if !backup.header.describesSameTable(as: best.header) {
                add(.damage, "gpt-copies-differ", "the two copies of the GPT describe different tables")
            }
            if backup.header.alternateSector != 1 {
                add(.damage, "gpt-backup-address", "the backup GPT gives a wrong address for the primary")
            }
            if source == .primary, best.header.alternateSector != backup.header.ownSector {
                add(.damage, "gpt-primary-address", "the primary GPT gives a wrong address for the backup")
            }
        case (nil, let displaced?):
            add(
                .damage, "gpt-backup-displaced",
                "the backup GPT is at sector \(displaced.header.ownSector), not at the disk's end; the disk has grown"
            )
        case (nil, nil):
            let flaw = location.displaced?.flaw ?? location.backup.flaw ?? .unreachable
            let truncated = best.header.alternateSector >= location.geometry.sectorCount
            add(
                .damage, truncated ? "gpt-backup-missing" : "gpt-backup-damaged",
                truncated
                    ? "the disk ends before the backup GPT; the image may be truncated"
                    : "the backup GPT at the disk's end \(flaw.rawValue)")
        }
        if best.header.lastUsable >= location.geometry.sectorCount {
            add(.warning, "gpt-usable-past-end", "the GPT describes a larger disk than this")
        }
        found += mbrFindings(mbr)
        return found
    }

    private static func mbrFindings(_ mbr: MBRSector?) -> [LayoutFinding] {
        guard let mbr, mbr.protectiveEntry != nil else {
            return [
                LayoutFinding(
                    .warning, "gpt-no-protective-mbr",
                    "the GPT has no protective MBR; Linux ignores it unless it is started with \"gpt\"")
            ]
        }
        guard mbr.entries.contains(where: { $0.isUsed && $0.type != MBRType.protective }) else { return [] }
        return [
            LayoutFinding(
                .note, "gpt-hybrid-mbr", "the MBR is a hybrid: it lists partitions of its own; the GPT counts"
            )
        ]
    }
}
