extension GRUB2Config {
    /// Goes through a file's commands in their order.
    struct Reader {
        let bytes: [UInt8]
        var config = GRUB2Config()

        /// An open brace: a menu, an entry, or a function's body.
        private enum Block {
            case submenu(title: String, names: [String], index: Int)
            case entry
            case other
        }
        private var blocks: [Block] = []
        private var opening: Block?
        private var current: OpenEntry?
        private var branches: [Branch] = []
        /// How many entries and menus each open menu has so far.
        private var counts = [0]

        /// The platform that GRUB is built for; nil: any.
        private let platform: String?

        init(bytes: [UInt8], platform: String? = nil) {
            self.bytes = bytes
            self.platform = platform
        }

        /// The commands are never run on this platform.
        private var isSkipped: Bool { branches.contains { $0.isNever(on: platform) } }

        /// Menus, functions and conditions are never nested deeper.
        private static let depthLimit = 64
        private static let kernelCommands: Set<String> = [
            "linux", "linux16", "linuxefi", "multiboot", "multiboot2",
        ]
        private static let initrdCommands: Set<String> = ["initrd", "initrd16", "initrdefi"]

        mutating func readAll() {
            for command in GRUBScript(bytes).commands {
                guard read(command[...]) else { break }
            }
            close(at: bytes.count)
            config.topLevelCount = counts[0]
        }

        /// False where the text is nested deeper, or offers more, than any real one.
        private mutating func read(_ command: ArraySlice<GRUBScript.Word>) -> Bool {
            guard let head = command.first else { return true }
            let words = command.dropFirst()
            switch head.text {
            case "{" where !head.isQuoted:
                guard blocks.count < Self.depthLimit else { return false }
                if case .submenu = opening { counts.append(0) }
                blocks.append(opening ?? .other)
                opening = nil
            case "}" where !head.isQuoted:
                switch blocks.popLast() {
                case .submenu where counts.count > 1: counts.removeLast()
                case .entry: close(at: head.range.upperBound)
                default: break
                }
            case "if":
                guard branches.count < Self.depthLimit else { return false }
                branches.append(Branch(condition: words.map(\.text).joined(separator: " "), arm: 0))
            case "elif": nextArm()
            case "else":
                nextArm()
                return read(words)
            case "then", "do": return read(words)
            case "fi": branches.removeLast(min(1, branches.count))
            case "menuentry" where isSkipped: opening = .other
            case "menuentry": openEntry(command)
            case "submenu":
                let title = words.first?.text ?? ""
                opening = .submenu(
                    title: title, names: [title] + Self.identifiers(command), index: counts[counts.count - 1])
                counts[counts.count - 1] += 1
            case "blscfg":
                config.readsBLSEntries = true
                if counts.count == 1 {
                    config.includes.append(Include(word: "", position: counts[0], isLoaderEntries: true))
                }
            case "source", ".", "configfile": readInclude(head.text, words.first)
            case "set", "export": config.readVariable(bytes, words.first)
            default:
                if command.count == 1, head.text.contains("=") { config.readVariable(bytes, head) }
                return readLoading(Self.name(of: head), words, head)
            }
            return true
        }

        private mutating func readInclude(_ command: String, _ word: GRUBScript.Word?) {
            guard let word else { return }
            let isOwnMenu = command == "configfile"
            if current != nil, isOwnMenu { current?.head.menuFile = word.text }
            let isPart = current == nil && !isOwnMenu && counts.count == 1
            config.includes.append(Include(word: word.text, position: isPart ? counts[0] : nil))
        }

        private mutating func nextArm() {
            if !branches.isEmpty { branches[branches.count - 1].arm += 1 }
        }

        private mutating func openEntry(_ command: ArraySlice<GRUBScript.Word>) {
            guard let head = command.first else { return }
            let title = command.dropFirst().first?.text ?? ""
            let identifiers = Self.identifiers(command)
            var path: [(index: Int, names: [String])] = []
            var titles: [String] = []
            for case .submenu(let menu, let names, let index) in blocks {
                path.append((index, names))
                titles.append(menu)
            }
            path.append((counts[counts.count - 1], [title] + identifiers))
            counts[counts.count - 1] += 1
            current = OpenEntry(
                head: BootEntry(
                    title: (titles + [title]).joined(separator: ">"), index: 0, identifiers: identifiers,
                    menuPath: path, range: head.range))
            opening = .entry
        }

        /// The open entry ends.
        private mutating func close(at end: Int) {
            guard let done = current else { return }
            current = nil
            for var entry in done.entries {
                entry.index = config.entries.count
                entry.range = entry.range.lowerBound..<end
                config.entries.append(entry)
            }
        }

        /// Commands that load a kernel, and what belongs to it.
        private mutating func readLoading(
            _ name: String, _ words: ArraySlice<GRUBScript.Word>, _ head: GRUBScript.Word
        ) -> Bool {
            let isKernel = Self.kernelCommands.contains(name)
            if current != nil {
                if isKernel { return addKernel(name, words) }
                current?.withKernels(of: branches) { Self.read(name, words, bytes, into: &$0) }
            } else if isKernel {
                // A kernel outside any entry boots too, when the commands before it come to it.
                var loose = BootEntry(
                    title: "(no entry)", index: config.entries.count, range: head.range)
                Self.read(name, words, bytes, into: &loose)
                config.entries.append(loose)
            } else if Self.initrdCommands.contains(name), config.entries.last?.title == "(no entry)" {
                Self.read(name, words, bytes, into: &config.entries[config.entries.count - 1])
            }
            return true
        }

        private mutating func addKernel(_ name: String, _ words: ArraySlice<GRUBScript.Word>) -> Bool {
            guard words.first != nil, var entry = current?.head else { return true }
            Self.read(name, words, bytes, into: &entry)
            return current?.add(entry, branches) ?? true
        }

        /// A command's name. One that is put together from a variable (`$linux`, `linux$suffix`) loads what its name says.
        private static func name(of head: GRUBScript.Word) -> String {
            guard head.hasVariable else { return head.text }
            let plain = String(head.text.filter { !"${}".contains($0) })
            return ["linux", "initrd"].first { plain.hasPrefix($0) } ?? head.text
        }

        /// `--id X`, `$menuentry_id_option X`.
        private static func identifiers(_ command: ArraySlice<GRUBScript.Word>) -> [String] {
            var found: [String] = []
            for (option, value) in zip(command, command.dropFirst())
            where option.text == "--id" || option.text == "$menuentry_id_option" {
                found.append(value.text)
            }
            return found
                + command.compactMap { $0.text.hasPrefix("--id=") ? String($0.text.dropFirst(5)) : nil }
        }

        private static func read(
            _ name: String, _ words: ArraySlice<GRUBScript.Word>, _ bytes: [UInt8],
            into entry: inout BootEntry
        ) {
            switch name {
            case _ where kernelCommands.contains(name):
                guard let path = words.first else { return }
                entry.kernel = path.text
                if name.hasPrefix("multiboot") {
                    entry.isXenMultiboot = true
                } else {
                    setArguments(bytes, words.dropFirst(), into: &entry)
                }
            case "module", "module2":
                let files = words.drop { $0.text.hasPrefix("--") }
                guard entry.isXenMultiboot, let path = files.first else { return }
                if entry.argumentsRange == nil {
                    entry.kernel = path.text
                    setArguments(bytes, files.dropFirst(), into: &entry)
                } else {
                    entry.initrds.append(path.text)
                    entry.initrdRanges.append(path.range)
                }
            case _ where initrdCommands.contains(name):
                entry.initrds += words.map(\.text)
                entry.initrdRanges += words.map(\.range)
            default: break
            }
        }

        private static func setArguments(
            _ bytes: [UInt8], _ words: ArraySlice<GRUBScript.Word>, into entry: inout BootEntry
        ) {
            entry.commandLine = KernelCommandLine(bytes, words: words.map(\.range))
            if let first = words.first, let last = words.last {
                entry.argumentsRange = first.range.lowerBound..<last.range.upperBound
            } else {
                entry.argumentsRange = entry.range.upperBound..<entry.range.upperBound
            }
        }
    }
}

/// An arm of a condition. Two conditions of the same words take the same arm.
private struct Branch: Equatable {
    /// The words of the first `if`.
    var condition: String
    /// 0 behind `if`, then one more behind each `elif` and `else`.
    var arm: Int

    /// The arm is not taken: `if false`, or by a test of the platform.
    func isNever(on platform: String?) -> Bool {
        let words = condition.filter { !"\"'${}".contains($0) }.split(separator: " ")
        if words == ["false"] { return arm == 0 }
        if words == ["true"] { return arm > 0 }
        guard let platform, arm == 0, words.count == 5, words[0] == "[", words[1] == "grub_platform",
            ["=", "==", "!="].contains(words[2])
        else { return false }
        return (words[3] == platform) == (words[2] == "!=")
    }
}

/// An entry while its commands are read: each kernel that its branches load, with what is loaded beside it.
private struct OpenEntry {
    /// What all of them share.
    var head: BootEntry
    private var kernels: [(entry: BootEntry, branches: [Branch])] = []
    /// Kernels that a later command has not replaced.
    private var loaded: [Int] = []

    /// No entry loads more.
    private static let kernelLimit = 256

    init(head: BootEntry) { self.head = head }

    /// One a kernel; the entry alone where it loads none.
    var entries: [BootEntry] { kernels.isEmpty ? [head] : kernels.map(\.entry) }

    /// Adds a kernel that is loaded in these branches; false when there are more than any real entry has.
    mutating func add(_ entry: BootEntry, _ branches: [Branch]) -> Bool {
        guard kernels.count < Self.kernelLimit else { return false }
        // Wherever the earlier one was loaded, this one takes its place.
        loaded.removeAll { index in branches.allSatisfy { kernels[index].branches.contains($0) } }
        loaded.append(kernels.count)
        kernels.append((entry, branches))
        return true
    }

    /// Changes the kernels that are loaded when these branches are taken. Before any kernel there is but the entry.
    mutating func withKernels(of branches: [Branch], _ change: (inout BootEntry) -> Void) {
        if kernels.isEmpty { change(&head) }
        for index in loaded where Self.canBothBeTaken(kernels[index].branches, branches) {
            change(&kernels[index].entry)
        }
    }

    private static func canBothBeTaken(_ some: [Branch], _ others: [Branch]) -> Bool {
        !some.contains { branch in
            others.contains { $0.condition == branch.condition && $0.arm != branch.arm }
        }
    }
}
