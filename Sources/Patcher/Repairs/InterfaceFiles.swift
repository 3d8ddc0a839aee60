/// ifcfg files: a card's address and its name.
enum InterfaceFiles: PlanStep {
    static let repair = Repair.net
    static let reads: [any ConfigurationSyntax.Type] = [Ifcfg.self]

    static func contribute(to draft: inout PlanDraft) {
        for file in draft.guest.files(Ifcfg.self) {
            if let address = file.syntax.variables.last("HWADDR") {
                if draft.request.wants(.net), let line = line(of: address.valueRange, file.file) {
                    draft.comment(file.file, lineAt: line, .net, "the card's address changes")
                } else {
                    draft.advise(
                        .net, file.file,
                        "HWADDR=\(address.text) must be the new card's address too (\(remedy: .ask(.net)) takes it out)"
                    )
                }
            }
            if let device = file.syntax.variables.last("DEVICE"), draft.isPlaceName(device.text) {
                draft.adviseCardName(file.file, device.text)
            }
        }
    }

    /// Where the line begins that holds a value.
    private static func line(of range: Range<Int>, _ file: ScannedFile) -> Int? {
        TextLine.all(in: file.bytes).first { $0.whole.contains(range.lowerBound) }?.content.lowerBound
    }
}
