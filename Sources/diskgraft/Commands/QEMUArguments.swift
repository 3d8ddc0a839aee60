import ArgumentParser

/// How a report is printed, in qemu-img's words.
enum QEMUOutput: String, QEMUWord {
    /// For people.
    case human
    /// With qemu-img's field names.
    case json
}

/// A word out of a list that qemu-img has. What the parser asks of its type stands here: the parser's own answers, for any
/// enumeration, take the runtime longer than opening an image takes.
protocol QEMUWord: ExpressibleByArgument, CaseIterable, RawRepresentable where RawValue == String {}

extension QEMUWord {
    init?(argument: String) { self.init(rawValue: argument) }
    var defaultValueDescription: String { rawValue }
    static var allValueStrings: [String] {
        var words: [String] = []
        for word in allCases { words.append(word.rawValue) }
        return words
    }
    /// The words say it.
    static var allValueDescriptions: [String: String] { [:] }
}

/// A cache mode as qemu has them. Here every file is read and written through the host's cache and flushed at the end.
enum QEMUCacheMode: String, QEMUWord {
    case writeback, none, writethrough, directsync, unsafe
}

/// `--output`, for commands whose report qemu-img has too.
struct QEMUOutputArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Print for people (human), or JSON with qemu-img's field names (json).", valueName: "format"))
    var output = QEMUOutput.human
}

/// `-q` of the commands that print little.
struct QuietArguments: ParsableArguments {
    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Print nothing but errors.")
    var quiet = false
}

/// qemu-img's cache mode of what is read.
struct SourceCacheArguments: ParsableArguments {
    @Option(
        name: .customShort("T"),
        help: ArgumentHelp(
            "Taken as qemu-img does, without effect: the host's cache is used.", valueName: "cache"))
    var sourceCache: QEMUCacheMode?
}

/// What pipelines pass to `qemu-img convert` for its speed.
struct QEMUTuning: ParsableArguments {
    @Option(
        name: .customShort("t"),
        help: ArgumentHelp(
            "Taken as qemu-img does, without effect: the copy is durable before it appears.",
            valueName: "cache"))
    var cache: QEMUCacheMode?

    @OptionGroup var sourceCache: SourceCacheArguments

    @Flag(
        name: .customShort("W"),
        help: "Taken as qemu-img does, without effect: writes come in any order anyhow.")
    var outOfOrder = false

    @Option(
        name: .customShort("m"),
        help: ArgumentHelp("Workers that read and decode, 1 to 16.", valueName: "workers"))
    var workers: Int?

    @Option(
        name: .customShort("r"),
        help: ArgumentHelp(
            "A rate of bytes a second; taken as qemu-img does, without effect.", valueName: "rate"))
    var rate: String?

    @Option(
        name: .customShort("S"),
        help: ArgumentHelp(
            "Taken as qemu-img does, without effect: zeros are always left out.", valueName: "size"))
    var sparseSize: String?

    func validate() throws {
        if let workers, !(1...16).contains(workers) {
            throw ValidationError("-m takes a number of workers from 1 to 16")
        }
        if let rate, SizeText.parse(rate) == nil {
            throw ValidationError("-r takes a number of bytes, as in 64K, not \"\(rate)\"")
        }
        if let sparseSize, SizeText.parse(sparseSize).map({ $0 % 512 != 0 || $0 > 16 << 20 }) ?? true {
            throw ValidationError(
                "-S takes a number of bytes, a multiple of 512 up to 16M, as in 4K, not \"\(sparseSize)\"")
        }
    }
}

/// Options of a format: `-o help` lists them.
enum CreateOptionsHelp {
    /// The format whose options are all that is asked for: `convert -O vmdk -o help`, as qemu-img takes it without a file. Nil for
    /// everything else.
    static func format(ofOptionsAskedIn arguments: [String]) -> String? {
        guard arguments.count == 5 else { return nil }
        let named: [String]
        let asking: [String]
        switch arguments[0] {
        case "create": (named, asking) = (["-f", "--format"], ["-o", "--option"])
        case "convert": (named, asking) = (["-O", "--output-format"], ["-o", "--output-option"])
        default: return nil
        }
        let pairs = [(arguments[1], arguments[2]), (arguments[3], arguments[4])]
        guard let list = pairs.first(where: { asking.contains($0.0) }), isAsked([list.1]) else { return nil }
        return pairs.first { named.contains($0.0) }?.1
    }

    /// Whether they are asked for.
    static func isAsked(_ texts: [String]) -> Bool {
        texts.flatMap { $0.split(separator: ",") }.contains { $0 == "help" || $0 == "?" }
    }
}
