/// Rows of crypttab whose device does not come along: systemd waits for each.
enum DeadMappings: PlanStep {
    static let repair = Repair.deadRows
    static let after: [any PlanStep.Type] = [DeviceNames.self]
    static let reads: [any ConfigurationSyntax.Type] = [Crypttab.self]

    static func contribute(to draft: inout PlanDraft) {
        guard draft.guest.startsWithSystemd else { return }
        for file in draft.guest.files(Crypttab.self) {
            for row in file.syntax.rows where row.words.count >= 2 {
                sayOverwritten(file.file, row, &draft)
                let options = row.words.count > 3 ? row.words[3].split(separator: ",") : []
                guard !options.contains("nofail"), !options.contains("noauto"),
                    let reference = draft.guest.reference(in: file.file, at: row.ranges[1].lowerBound),
                    let what = reference.unresolved?.absence(of: reference)
                else { continue }
                let end = row.ranges[min(3, row.ranges.count - 1)].upperBound
                let text =
                    switch row.words.count {
                    case 2: " none nofail"
                    case 3: " nofail"
                    default: ",nofail"
                    }
                draft.edit(file.file, end..<end, text, .deadRows, "\(what): the boot must not wait for it")
            }
        }
    }

    /// A row that encrypts whatever bears a number with a new key at each start, so that what lies there is lost.
    private static func sayOverwritten(_ file: ScannedFile, _ row: FieldTable.Row, _ draft: inout PlanDraft) {
        guard let reference = draft.guest.reference(in: file, at: row.ranges[1].lowerBound),
            case .crypttab(let mapping) = reference.use, mapping.hasRandomKey,
            case .mapped(let node) = DeviceName(reference.text), node.hasPrefix("dm-")
        else { return }
        draft.advise(
            .deadRows, file,
            "the row of \(mapping.name) overwrites \(reference.text) at each start, and that is whichever mapping gets the number: what lies in another is lost; name the device by a UUID or a name that holds before the first start, or take the row out"
        )
    }
}
