/// syslinux.cfg and extlinux.conf (syslinux.org, SYSLINUX.CFG): keywords in any case, `LABEL` beginning an entry.
package struct Syslinux: Sendable, Equatable {
    /// The entries in order. A `DEFAULT` that is a kernel and no label is the last one.
    package var entries: [BootEntry] = []
    /// Arguments outside every entry: an `APPEND` before the first label holds for entries without one of their own, and
    /// `DEFAULT` may be a kernel, or a label, with arguments.
    package var globalArguments: [KernelCommandLine] = []
    /// What else it says, in order.
    var statements: [Statement] = []
    /// Where the label's line ends, by the entry.
    private(set) var labelEnds: [Int] = []

    /// A line that says which entry boots, or which file has more of them.
    enum Statement: Sendable, Equatable {
        /// An entry begins.
        case entry(Int)
        /// `DEFAULT`: a label or a kernel, with arguments where there are some.
        case labelled(Range<Int>)
        case onTimeout(Range<Int>)
        /// `MENU DEFAULT` of an entry, with the line that says so; the last one counts.
        case mark(Int, line: Range<Int>)
        /// `INCLUDE` and its like.
        case include(String)
    }

    package static func == (one: Self, other: Self) -> Bool {
        one.entries == other.entries && one.statements == other.statements
            && one.globalArguments == other.globalArguments
    }

    /// Reads a file.
    package init(_ bytes: [UInt8]) {
        var reader = Reader(bytes: bytes)
        for line in TextLine.all(in: bytes) { reader.read(line) }
        self = reader.finished()
    }

    private init() {}

    /// Goes through the lines in order.
    private struct Reader {
        let bytes: [UInt8]
        var config = Syslinux()
        private var current: OpenEntry?
        /// The `APPEND` before every label.
        private var append: Range<Int>?
        private var isImplicit = true

        private struct OpenEntry {
            var entry: BootEntry
            /// Arguments behind the kernel on its own line.
            var kernelWords: [Range<Int>] = []
            var append: Range<Int>?
        }

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func read(_ line: TextLine) {
            let fields = bytes.fields(in: line.content)
            guard let key = fields.first else { return }
            let rest =
                fields.count > 1
                ? bytes.trimmed(fields[1].lowerBound..<line.content.upperBound)
                : line.end.lowerBound..<line.end.lowerBound
            let words = fields.dropFirst().map { bytes.text($0) }
            switch bytes.text(key).lowercased() {
            case "label":
                close()
                let label = bytes.text(rest)
                config.statements.append(.entry(config.entries.count))
                current = OpenEntry(
                    entry: BootEntry(
                        title: label, index: config.entries.count, identifiers: [label], range: line.whole))
                config.labelEnds.append(line.whole.upperBound)
            case "default" where !words.isEmpty:
                config.statements.append(.labelled(rest))
                if words.count > 1 { config.globalArguments.append(KernelCommandLine(bytes, in: rest)) }
            case "ontimeout" where !words.isEmpty:
                config.statements.append(.onTimeout(rest))
                if words.count > 1 { config.globalArguments.append(KernelCommandLine(bytes, in: rest)) }
            case "implicit": isImplicit = words.first != "0"
            case "include", "config": include(words.first)
            // A menu that is given a file shows that file's entries.
            case "ui": include(words.dropFirst().first)
            case "menu" where words.first?.lowercased() == "include": include(words.dropFirst().first)
            case "append" where current == nil:
                append = rest
                config.globalArguments.append(KernelCommandLine(bytes, in: rest))
            case let keyword: read(keyword, fields, rest, line)
            }
        }

        private mutating func include(_ word: String?) {
            if let word { config.statements.append(.include(word)) }
        }

        /// A line of an entry.
        private mutating func read(
            _ keyword: String, _ fields: [Range<Int>], _ rest: Range<Int>, _ line: TextLine
        ) {
            guard var open = current else { return }
            switch keyword {
            case "menu":
                let words = fields.dropFirst().map { bytes.text($0).lowercased() }
                if words.first == "default" {
                    config.statements.append(.mark(open.entry.index, line: line.whole))
                }
                if words.first == "label", fields.count > 2 {
                    open.entry.title = bytes.text(
                        bytes.trimmed(fields[2].lowerBound..<line.content.upperBound))
                }
            case "linux", "kernel":
                guard let path = fields.dropFirst().first.map({ bytes.text($0) }) else { break }
                // Modules of syslinux itself are programs, not kernels.
                if !path.hasSuffix(".c32") {
                    open.entry.kernel = path
                    open.kernelWords = Array(fields.dropFirst(2))
                }
            case "initrd": open.entry.addInitrds(bytes, rest)
            case "append": open.append = rest
            default: break
            }
            open.entry.range = open.entry.range.lowerBound..<line.whole.upperBound
            current = open
        }

        private mutating func close() {
            guard let open = current else { return }
            current = nil
            var entry = open.entry
            var words = open.kernelWords
            if let range = open.append {
                entry.argumentsRange = range
                let line = KernelCommandLine(bytes, in: range)
                // "-" stands for none, not even those of all entries.
                if bytes.text(range) != "-" { words += line.arguments.map(\.range) }
            } else if let range = append {
                let line = KernelCommandLine(bytes, in: range)
                entry.inherit(line, in: bytes)
                if let initrd = line.last("initrd")?.valueRange { entry.addInitrds(bytes, initrd) }
            }
            entry.commandLine = KernelCommandLine(bytes, words: words)
            if let range = entry.commandLine.last("initrd")?.valueRange { entry.addInitrds(bytes, range) }
            config.entries.append(entry)
        }

        mutating func finished() -> Syslinux {
            close()
            for case .labelled(let range) in config.statements.suffix(from: lastLabelled) {
                readDefault(range)
            }
            return config
        }

        /// The last `DEFAULT` counts.
        private var lastLabelled: Int {
            config.statements.lastIndex { if case .labelled = $0 { true } else { false } }
                ?? config.statements.endIndex
        }

        /// `DEFAULT` with arguments, or with a kernel in a label's place.
        private mutating func readDefault(_ range: Range<Int>) {
            let line = KernelCommandLine(bytes, in: range)
            guard let first = line.arguments.first?.range else { return }
            let word = bytes.text(first)
            let labels = config.entries.compactMap(\.identifiers.first)
            if labels.contains(bytes.text(range)) { return }
            let rest = KernelCommandLine(bytes, words: line.arguments.dropFirst().map(\.range))
            if let index = config.entries.firstIndex(where: { $0.identifiers.first == word }) {
                return config.entries[index].inherit(rest, in: bytes, isLast: true)
            }
            let mayBeElsewhere =
                config.statements.contains { if case .include = $0 { true } else { false } }
                && !word.contains("/")
            guard isImplicit, !mayBeElsewhere, !word.hasSuffix(".c32") else { return }
            var entry = BootEntry(
                title: word, index: config.entries.count, kernel: word, identifiers: [word], range: range)
            if let append { entry.inherit(KernelCommandLine(bytes, in: append), in: bytes) }
            entry.commandLine = rest
            entry.argumentsRange = first.upperBound..<range.upperBound
            if let initrd = line.last("initrd")?.valueRange { entry.addInitrds(bytes, initrd) }
            config.statements.append(.entry(config.entries.count))
            config.entries.append(entry)
            // Its arguments are its own.
            config.globalArguments.removeAll { $0 == line }
        }
    }
}

extension BootEntry {
    /// `a.img,b.img`.
    fileprivate mutating func addInitrds(_ bytes: [UInt8], _ range: Range<Int>) {
        for part in bytes[range].split(separator: .comma) {
            initrds.append(String(decoding: part, as: UTF8.self))
            initrdRanges.append(part.startIndex..<part.endIndex)
        }
    }

    /// Arguments that stand elsewhere and are this entry's too: before its own, or behind them.
    fileprivate mutating func inherit(_ line: KernelCommandLine, in bytes: [UInt8], isLast: Bool = false) {
        variableArguments += line.arguments.map {
            VariableArgument(
                index: isLast ? .max : 0, name: $0.name, value: $0.valueRange.map { bytes.text($0) })
        }
    }
}
