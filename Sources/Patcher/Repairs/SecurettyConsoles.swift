/// Root's login on consoles that only Xen has.
enum SecurettyConsoles: PlanStep {
    static let repair = Repair.console
    static let reads: [any ConfigurationSyntax.Type] = [Securetty.self]

    static func contribute(to draft: inout PlanDraft) {
        guard draft.hypervisor != .xenserver else { return }
        for file in draft.guest.files(Securetty.self) {
            for row in file.syntax.rows where row.words.count == 1 && XenConsole.names.contains(row.words[0])
            {
                draft.edit(
                    file.file, wholeLine(row.line, file.file.bytes), "", .console,
                    "\(row.words[0]) is Xen's console and not there any more")
            }
        }
    }

    /// A line to be taken out: with its own line end, or the one before when it is the last and has none.
    private static func wholeLine(_ line: TextLine, _ bytes: [UInt8]) -> Range<Int> {
        guard line.end.isEmpty, line.content.lowerBound > 0 else { return line.whole }
        let before = TextLine.all(in: bytes, within: 0..<line.content.lowerBound).last
        return (before?.end.lowerBound ?? 0)..<line.whole.upperBound
    }
}
