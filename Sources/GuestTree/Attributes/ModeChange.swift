public import Storage

/// What chmod is asked for: an octal number, or clauses like `u=rwx,go-w,a+X` (POSIX.1-2017, chmod).
public struct ModeChange: Sendable {
    private struct Clause {
        /// Mode bits of those meant: 0o700, 0o070, 0o007 and their special bits.
        var who: UInt16
        /// Nobody was named: bits of the usual umask 022 stay as they are.
        var isImplicit: Bool
        var operation: Character
        var bits: UInt16
        /// X: execution for directories and what is executable already.
        var conditional: Bool
        var special: UInt16
        /// u, g or o after the operation: a copy of their bits.
        var copied: Character?
    }

    private var number: UInt16?
    private var namesEveryBit = false
    private var clauses: [Clause] = []

    /// Nil when the text is no mode.
    public init?(_ text: String) {
        if let first = text.first, first.isNumber {
            guard let value = UInt16(text, radix: 8), value <= 0o7777 else { return nil }
            number = value
            namesEveryBit = text.count > 4
            return
        }
        guard !text.isEmpty else { return nil }
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let made = Self.clauses(part) else { return nil }
            clauses += made
        }
    }

    private static func clauses(_ text: Substring) -> [Clause]? {
        var rest = text
        var who: UInt16 = 0
        while let letter = rest.first, let bits = mask(letter) {
            who |= bits
            rest.removeFirst()
        }
        let isImplicit = who == 0
        if isImplicit { who = 0o7777 }
        var result: [Clause] = []
        while let operation = rest.first {
            guard "+-=".contains(operation) else { return nil }
            rest.removeFirst()
            var clause = Clause(
                who: who, isImplicit: isImplicit, operation: operation, bits: 0, conditional: false,
                special: 0)
            if let source = rest.first, "ugo".contains(source) {
                clause.copied = source
                rest.removeFirst()
            }
            while clause.copied == nil, let letter = rest.first, !"+-=".contains(letter) {
                switch letter {
                case "r": clause.bits |= 0o444
                case "w": clause.bits |= 0o222
                case "x": clause.bits |= 0o111
                case "X": clause.conditional = true
                case "s": clause.special |= 0o6000
                case "t": clause.special |= 0o1000
                default: return nil
                }
                rest.removeFirst()
            }
            result.append(clause)
        }
        return result.isEmpty ? nil : result
    }

    private static func mask(_ letter: Character) -> UInt16? {
        switch letter {
        case "u": 0o4700
        case "g": 0o2070
        case "o": 0o1007
        case "a": 0o7777
        default: nil
        }
    }

    /// The mode that a file of these attributes gets. As with GNU's chmod a number of up to four digits takes
    /// set-user-ID and set-group-ID away from no directory.
    public func applied(to attributes: FileAttributes) -> UInt16 {
        let isDirectory = attributes.type == .directory
        if let number {
            return isDirectory && !namesEveryBit ? number | attributes.permissions & 0o6000 : number
        }
        var mode = attributes.permissions
        for clause in clauses {
            var bits = clause.bits
            if let source = clause.copied {
                let shift: UInt16 = source == "u" ? 6 : source == "g" ? 3 : 0
                bits = (mode >> shift & 7) * 0o111
            }
            if clause.conditional, isDirectory || mode & 0o111 != 0 { bits |= 0o111 }
            // t goes with o and with everybody; s with u and g.
            var wanted = (bits | clause.special) & clause.who
            if clause.isImplicit { wanted &= ~0o022 }
            switch clause.operation {
            case "+": mode |= wanted
            case "-": mode &= ~wanted
            default:
                var cleared = clause.who
                // What = clears of the special bits, it clears of files only.
                if isDirectory { cleared &= 0o1777 | clause.special }
                mode = mode & ~cleared | wanted
            }
        }
        return mode & 0o7777
    }
}
