extension Planner {
    private static let xenConsoles: Set<String> = ["xvc0", "hvc0"]

    /// Consoles that only Xen has: the kernel's, the login's, and root's.
    mutating func repairConsoles() {
        guard request.target.hypervisor != .xenserver else { return }
        // virtio's console is called hvc0 too.
        let keepsVirtio = request.target.hypervisor == .kvm && guest.resolver.presentation.hypervisor == .kvm
        for place in commandLines {
            for argument in place.line.arguments {
                guard let range = argument.valueRange,
                    let device = place.file.bytes.text(range).split(separator: ",").first
                else { continue }
                if argument.name == "earlyprintk", device == "xen" {
                    removeArgument(place, argument, .console, "there is no Xen to print to")
                }
                guard argument.name == "console", Self.xenConsoles.contains(String(device)),
                    !(device == "hvc0" && keepsVirtio)
                else { continue }
                removeArgument(
                    place, argument, .console,
                    "\(device) is Xen's console; without it the screen is the console")
            }
        }
        for file in guest.files(.inittab) { repairInittab(file) }
        for file in guest.files(.securetty) {
            for row in file.rows where row.words.count == 1 && Self.xenConsoles.contains(row.words[0]) {
                edit(
                    file, wholeLine(row.line, file), "", .console,
                    "\(row.words[0]) is Xen's console and not there any more")
            }
        }
    }

    /// A line to be taken out: with its own line end, or the one before when it is the last and has none.
    private func wholeLine(_ line: TextLine, _ file: ScannedFile) -> Range<Int> {
        guard line.end.isEmpty, line.content.lowerBound > 0 else { return line.whole }
        let before = TextLine.all(in: file.bytes, within: 0..<line.content.lowerBound).last
        return (before?.end.lowerBound ?? 0)..<line.whole.upperBound
    }

    /// A login on a console that is not there is restarted for ever. It moves to the screen, unless the screen has one.
    private mutating func repairInittab(_ file: ScannedFile) {
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
                if Self.xenConsoles.contains(word) { places.append((field, word, line)) }
            }
        }
        for (index, place) in places.enumerated() {
            if loginsOnScreen || index > 0 {
                let start = place.line.content.lowerBound
                edit(
                    file, start..<start, "#", .console,
                    "\(place.text) is Xen's console and not there any more; the screen has a login")
            } else {
                edit(
                    file, place.range, "tty1", .console,
                    "\(place.text) is Xen's console and not there any more; the login moves to the screen")
            }
        }
    }
}
