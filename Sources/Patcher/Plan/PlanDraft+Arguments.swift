/// Kernel arguments that are taken out or put in.
extension PlanDraft {
    /// Takes an argument out together with one blank before it.
    mutating func removeArgument(
        _ place: CommandLinePlace, _ argument: KernelCommandLine.Argument, _ repair: Repair, _ reason: String
    ) {
        let bytes = place.file.bytes
        var range = argument.range
        if range.lowerBound > 0, bytes[range.lowerBound - 1].isBlank {
            range = range.lowerBound - 1..<range.upperBound
        } else if range.upperBound < bytes.count, bytes[range.upperBound].isBlank {
            range = range.lowerBound..<range.upperBound + 1
        }
        // The argument before may have taken the blank between them.
        if !edit(place.file, range, "", repair, reason) {
            edit(place.file, argument.range, "", repair, reason)
        }
    }

    /// Puts an argument behind the others unless it is there.
    mutating func addArgument(_ place: CommandLinePlace, _ text: String, _ repair: Repair, _ reason: String) {
        guard !place.line.arguments.contains(where: { place.file.bytes.text($0.range) == text }) else {
            return
        }
        if let last = place.line.arguments.last {
            guard !place.isOneWord else { return }
            edit(place.file, last.range.upperBound..<last.range.upperBound, " " + text, repair, reason)
        } else if let empty = place.emptyPlace {
            edit(place.file, empty..<empty, text, repair, reason)
        }
    }
}
