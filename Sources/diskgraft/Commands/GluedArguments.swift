/// The arguments with glued short options taken apart, as getopt does it for qemu-img: `-fqcow2` is `-f qcow2`, and `-pO raw`
/// is `-p -O raw`. Only for the commands that qemu-img has.
func ungluing(_ arguments: [String]) -> [String] {
    guard let command = arguments.first, let syntax = ShortOptions(command) else { return arguments }
    var result = [command]
    var rest = arguments.dropFirst()
    while let argument = rest.popFirst() {
        if argument == "--" { return result + [argument] + rest }
        if command == "resize", argument.isLessSize {
            // The parser would look for an option of that name.
            result.append("\u{2212}" + argument.dropFirst())
            continue
        }
        let pieces = syntax.pieces(of: argument) ?? [argument]
        result += pieces
        // A value may look like anything.
        if let last = pieces.last, syntax.takesValue(last), let value = rest.popFirst() {
            result.append(value)
        }
    }
    return result
}

/// The one-letter options of a command.
private struct ShortOptions {
    /// Those that take a value.
    private let values: String
    /// Those that do not.
    private let flags: String

    /// Nil for a command whose short options are not glued.
    init?(_ command: String) {
        switch command {
        case "convert": (values, flags) = ("fOotTmrS", "UpqW")
        case "migrate": (values, flags) = ("fOo", "Up")
        case "info": (values, flags) = ("f", "U")
        case "check": (values, flags) = ("fTr", "Uq")
        case "map": (values, flags) = ("fsl", "U")
        case "compare": (values, flags) = ("fFT", "Upqs")
        case "create": (values, flags) = ("fobF", "qu")
        case "resize": (values, flags) = ("f", "q")
        case "measure": (values, flags) = ("fOo", "U")
        default: return nil
        }
    }

    func takesValue(_ argument: String) -> Bool {
        argument.count == 2 && argument.first == "-" && argument.last.map { values.contains($0) } == true
    }

    /// The options that an argument of several letters is; nil when it is none of these.
    func pieces(of argument: String) -> [String]? {
        guard argument.count > 2, argument.first == "-", argument.dropFirst().first != "-" else { return nil }
        var pieces: [String] = []
        var rest = argument.dropFirst()
        while let letter = rest.popFirst() {
            if values.contains(letter) {
                pieces.append("-\(letter)")
                // Glued: what takesValue would look for is here.
                if !rest.isEmpty { return pieces.dropLast() + ["-\(letter)", String(rest)] }
                return pieces
            }
            guard flags.contains(letter) else { return nil }
            pieces.append("-\(letter)")
        }
        return pieces
    }
}

extension String {
    /// A size with a minus in front.
    fileprivate var isLessSize: Bool {
        first == "-" && dropFirst().first.map { ("0"..."9").contains($0) } == true
    }
}
