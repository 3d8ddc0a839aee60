/// A login on a console that is not there is restarted for ever. It moves to the screen, unless the screen has one.
enum InittabConsoles: PlanStep {
    static let repair = Repair.console
    static let reads: [any ConfigurationSyntax.Type] = [Inittab.self]

    static func contribute(to draft: inout PlanDraft) {
        guard draft.hypervisor != .xenserver else { return }
        for file in draft.guest.files(Inittab.self) { repair(file.file, &draft) }
    }

    private static func repair(_ file: ScannedFile, _ draft: inout PlanDraft) {
        var loginsOnScreen = false
        var places: [(range: Range<Int>, text: String, line: TextLine)] = []
        for line in TextLine.all(in: file.bytes) {
            let text = file.bytes.trimmed(line.content)
            guard let first = file.bytes[text].first, first != .hash else { continue }
            let parts = file.bytes[text].split(
                separator: .colon, maxSplits: 3, omittingEmptySubsequences: false)
            guard parts.count == 4, parts[2].elementsEqual("respawn".utf8) else { continue }
            for field in file.bytes.fields(in: parts[3].startIndex..<parts[3].endIndex) {
                let word = file.bytes.text(field)
                if word.hasPrefix("tty"), word.dropFirst(3).allSatisfy(\.isNumber) { loginsOnScreen = true }
                if XenConsole.names.contains(word) { places.append((field, word, line)) }
            }
        }
        for (index, place) in places.enumerated() {
            if loginsOnScreen || index > 0 {
                let start = place.line.content.lowerBound
                draft.edit(
                    file, start..<start, "#", .console,
                    "\(place.text) is Xen's console and not there any more; the screen has a login")
            } else {
                draft.edit(
                    file, place.range, "tty1", .console,
                    "\(place.text) is Xen's console and not there any more; the login moves to the screen")
            }
        }
    }
}
