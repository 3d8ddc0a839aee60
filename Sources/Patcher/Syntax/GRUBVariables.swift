/// What the commands of a text of GRUB 2's do to variables, in their order (grub manual, "Shell-like scripting").
struct GRUBVariableEvent: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// A variable gets what these bytes stand for, quotes and variables among them.
        case set(String, [UInt8])
        /// A variable gets what only the running GRUB shows.
        case hide(String)
        /// Variables of an environment block are taken over: all of them, or those.
        case load(GRUBEnvironmentLoad)
        /// Any variable may get anything.
        case hideAll
        /// A condition of these words is tested.
        case test(String)
    }

    var kind: Kind
    /// The arms of conditions that the command stands in.
    var branches: [GRUBBranch] = []
}

/// `load_env` (grub manual, "load_env").
struct GRUBEnvironmentLoad: Sendable, Equatable {
    /// The file; nil for the block beside GRUB's own files.
    var word: String?
    /// The variables; empty for all.
    var names: [String] = []

    init(_ words: [String]) {
        var rest = words[...]
        while let word = rest.popFirst() {
            if ["-f", "--file"].contains(word) {
                self.word = rest.popFirst()
            } else if let file = word.suffix(behind: "--file=") {
                self.word = String(file)
            } else if !word.hasPrefix("-") {
                names.append(word)
            }
        }
    }
}

/// What a variable of GRUB's stands for.
enum GRUBValue: Sendable, Equatable {
    case known(String)
    /// It is set, and nobody here can tell to what.
    case untold
}

/// The variables at one place of a text.
struct GRUBScope: Sendable, Equatable {
    private var values: [String: GRUBValue] = [:]
    /// Variables that a function sets, whenever it is called.
    private var changing: Set<String> = []
    /// What conditions came to when they were tested last; none of one that cannot be told.
    private var outcomes: [String: Bool] = [:]
    /// What no command sets may be set by something that was not read.
    var isOpen = false

    /// A variable's value; nil for one that nothing sets.
    subscript(_ name: String) -> GRUBValue? { values[name] ?? (isOpen ? .untold : nil) }

    /// Runs commands, as far as they are run where the arms `taken` are. `environment` gives the variables of a block; nil
    /// where it was not read.
    mutating func run(
        _ events: [GRUBVariableEvent], within taken: [GRUBBranch] = [],
        _ environment: (GRUBEnvironmentLoad) -> [String: String]?
    ) {
        var work = 0
        for event in events {
            // No menu puts together more; texts that double each other would never end.
            guard work < Self.workLimit else {
                isOpen = true
                return
            }
            let isExcluded = event.branches.contains { branch in
                branch.isNever(on: nil) || outcomes[branch.condition] == (branch.arm > 0)
                    || taken.contains { $0.condition == branch.condition && $0.arm != branch.arm }
            }
            if isExcluded { continue }
            switch event.kind {
            case .set(let name, let bytes):
                if event.branches.contains(.function) { changing.insert(name) }
                let value = value(bytes)
                if case .known(let text) = value { work += text.utf8.count }
                let isCertain = event.branches.allSatisfy { branch in
                    taken.contains(branch) || branch.arm == 0 && outcomes[branch.condition] == true
                }
                put(name, value, isCertain: isCertain)
            case .hide(let name): values[name] = .untold
            case .hideAll: isOpen = true
            case .test(let condition):
                work += Self.testWork
                // A function tests whenever it is called.
                let isLater = event.branches.contains(.function)
                outcomes[condition] = isLater ? nil : outcome(ofTest: condition)
            case .load(let load):
                guard let found = environment(load) else {
                    isOpen = true
                    continue
                }
                for (name, text) in found where load.names.isEmpty || load.names.contains(name) {
                    values[name] = .known(text)
                }
            }
        }
    }

    private static let workLimit = 1 << 18
    private static let testWork = 64
    /// No word is longer.
    private static let lengthLimit = 1 << 14

    /// A command that may not be run leaves two values possible where there was another before.
    private mutating func put(_ name: String, _ value: GRUBValue, isCertain: Bool) {
        if !isCertain || changing.contains(name), let known = values[name], known != value {
            values[name] = .untold
        } else {
            values[name] = value
        }
    }

    private func value(_ bytes: [UInt8]) -> GRUBValue {
        switch expanded(bytes) {
        case .text(let text), .lacking(let text): .known(text)
        case .untold: .untold
        }
    }
}

/// A word as GRUB hands it over.
enum GRUBExpansion: Equatable {
    case text(String)
    /// The same, where a variable that nothing sets stands for nothing.
    case lacking(String)
    case untold
}

extension GRUBScope {
    /// Variables that GRUB has by itself.
    private static let reserved: Set<String> = ["root", "prefix", "cmdpath", "grub_platform", "grub_cpu"]

    /// What the bytes of a word stand for.
    func expanded(_ bytes: [UInt8]) -> GRUBExpansion {
        if bytes.isEmpty { return .text("") }
        let words = Array(GRUBScript(bytes).commands.joined())
        guard words.count == 1, let word = words.first else { return .untold }
        return word.hasVariable ? expanded(word.text) : .text(word.text)
    }

    /// The same of a word whose quotes are taken away.
    func expanded(_ text: String) -> GRUBExpansion {
        var rest = Substring(text)
        var result = ""
        var isLacking = false
        while let character = rest.popFirst() {
            guard result.utf8.count < Self.lengthLimit else { return .untold }
            guard character == "$" else {
                result.append(character)
                continue
            }
            let isBraced = rest.first == "{"
            if isBraced { rest = rest.dropFirst() }
            let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            rest = rest.dropFirst(name.count)
            if isBraced, rest.popFirst() != "}" { return .untold }
            guard !name.isEmpty, name.first?.isNumber == false, !Self.reserved.contains(String(name)) else {
                return .untold
            }
            switch self[String(name)] {
            case .known(let value)?: result += value
            case .untold?: return .untold
            case nil: isLacking = true
            }
        }
        return isLacking ? .lacking(result) : .text(result)
    }
}

/// What an entry of GRUB 2's is made of, before variables are put in.
struct GRUBEntryText: Sendable {
    /// The kernel's path as it is written.
    var kernel: String?
    /// The paths of the initramfs files.
    var initrds: [String] = []
    /// What the entry's own commands before the kernel do to variables.
    var events: [GRUBVariableEvent] = []
    /// The arms that the kernel is loaded in.
    var branches: [GRUBBranch] = []
}

/// An argument that a variable on the kernel's line stands for.
struct VariableArgument: Sendable, Equatable {
    /// Which word of the line the variable is.
    var index: Int
    var name: String
    var value: String?
}
