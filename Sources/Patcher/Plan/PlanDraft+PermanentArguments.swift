internal import Storage

/// Arguments that the next making of a menu, or the next kernel's entry, must have too.
extension PlanDraft {
    /// Puts an argument wherever the guest's own tools take those of every kernel from, once each.
    mutating func addPermanentArgument(_ text: String, _ repair: Repair, _ reason: String) {
        for file in guest.files where !(file.syntax is GRUBDefaults) {
            let lines = file.syntax.permanentCommandLines(in: file.bytes)
            if !lines.isEmpty, let grub = file.syntax.grubEnvironment,
                grub.block?.hasRoom(for: text) == false
            {
                advise(
                    repair, file,
                    "the environment block has no room for \(text), which the next kernel's entry needs in “kernelopts”"
                )
                continue
            }
            for line in lines {
                addPermanent(text, to: line, of: file, repair, reason)
            }
        }
        addToGRUBDefaults(text, repair, reason)
    }

    private mutating func addPermanent(
        _ text: String, to shared: SharedCommandLine, of file: ScannedFile, _ repair: Repair, _ reason: String
    ) {
        let place = CommandLinePlace(
            file: file, line: shared.line, emptyPlace: shared.emptyPlace, isOneWord: shared.isOneWord)
        guard shared.isOneWord, let first = shared.line.arguments.first,
            let last = shared.line.arguments.last
        else { return addArgument(place, text, repair, reason) }
        guard !shared.line.arguments.contains(where: { file.bytes.text($0.range) == text }) else { return }
        // The one word stands in no quotes, and gets them with the second.
        var trial = self
        if trial.edit(file, first.range.lowerBound..<first.range.lowerBound, "\"", repair, reason),
            trial.edit(
                file, last.range.upperBound..<last.range.upperBound, " \(text)\"", repair, reason)
        {
            self = trial
        }
    }

    /// /etc/default/grub and its parts are read one after the other, and the last assignment counts. What an entry besides recovery's
    /// gets counts as well, where it has the argument.
    private mutating func addToGRUBDefaults(_ text: String, _ repair: Repair, _ reason: String) {
        let files = guest.files(GRUBDefaults.self)
        let names = ["GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"]
        let last = names.compactMap { name in
            files.last { $0.syntax.variables.last(name) != nil }.map { (name, $0) }
        }
        let lines = last.flatMap { name, file in
            file.syntax.variables.permanentLine([name], in: file.file.bytes).map { (file.file, $0) }
        }
        let isThere = lines.contains { file, line in
            line.line.arguments.contains { file.bytes.text($0.range) == text }
        }
        guard !isThere else { return }
        if let (file, line) = lines.first {
            addPermanent(text, to: line, of: file, repair, reason)
        } else if let file = files.first?.file {
            let end = file.bytes.count
            let isCut = file.bytes.last.map { $0 != .newline } ?? false
            edit(file, end..<end, (isCut ? "\n" : "") + "GRUB_CMDLINE_LINUX=\"\(text)\"\n", repair, reason)
        }
    }
}

extension GRUBEnvironment {
    /// A further argument fits into a block that tools write, with what names may grow by: a UUID for each device.
    func hasRoom(for argument: String) -> Bool {
        paddingRange.upperBound != Self.byteCount || paddingRange.count > argument.utf8.count + 100
    }
}
