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
        private var current: OpenGRUBEntry?
        private var branches: [GRUBBranch] = []
        /// How many entries and menus each open menu has so far.
        private var counts = [0]

        /// The platform that GRUB is built for; nil: any.
        private let platform: String?

        init(bytes: [UInt8], platform: String? = nil) {
            self.bytes = bytes
            self.platform = platform
        }

        /// Whether the commands are run hangs on what nobody here can see.
        private var isUncertain: Bool { branches.contains(where: \.isUncertain) }

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
                let condition = words.map(\.text).joined(separator: " ")
                note(.test(condition))
                branches.append(GRUBBranch(condition: condition, arm: 0))
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
            case "source", ".", "configfile":
                readInclude(head.text, words.first)
                if head.text == "configfile" { noteLeaving() }
            case "chainloader": current?.head.chainLoader = words.last?.text
            case "boot": noteLeaving()
            case "set", "export":
                if let word = words.first { readSetting(word) }
            case "search", "search.fs_uuid", "search.fs_label", "search.file":
                if let place = GRUBSearch.root(head.text, words) { add(place) }
                if let name = GRUBSearch(head.text, words.map(\.text)).variable, name != "root" {
                    note(.hide(name))
                }
            case "load_env": note(.load(GRUBEnvironmentLoad(words.map(\.text))))
            default:
                if command.count == 1, head.text.contains("=") { readSetting(head) }
                for kind in Self.hiding(head.text, words.map(\.text)) { note(kind) }
                return readLoading(Self.name(of: head), words, head)
            }
            return true
        }

        private mutating func noteLeaving() {
            let isInside = blocks.contains { if case .submenu = $0 { false } else { true } }
            if current == nil, counts.count == 1, !isSkipped, !isInside { config.mayLeave = true }
        }

        private mutating func readInclude(_ command: String, _ word: GRUBScript.Word?) {
            guard let word else { return }
            let isOwnMenu = command == "configfile"
            if current != nil, isOwnMenu { current?.head.menuFile = word.text }
            let isPart = current == nil && !isOwnMenu && counts.count == 1
            config.includes.append(Include(word: word.text, position: isPart ? counts[0] : nil))
        }

        /// `NAME=VALUE`.
        private mutating func readSetting(_ word: GRUBScript.Word) {
            readRoot(word)
            config.readVariable(bytes, word, isUncertain: isUncertain)
            guard let equals = bytes[word.range].firstIndex(of: .equals) else { return }
            let value = Array(bytes[equals + 1..<word.range.upperBound])
            note(.set(bytes.text(word.range.lowerBound..<equals), value))
        }

        /// What a command does to variables.
        private mutating func note(_ kind: GRUBVariableEvent.Kind) {
            guard !isSkipped else { return }
            // A function's body runs when it is called.
            let isInFunction = blocks.contains { if case .other = $0 { true } else { false } }
            let event = GRUBVariableEvent(
                kind: kind,
                branches: branches + (isInFunction ? [.function] : []))
            if current != nil {
                current?.add(event)
            } else {
                config.events.append(event)
            }
        }

        /// Commands that put into variables what only the running GRUB shows.
        private static func hiding(_ command: String, _ words: [String]) -> [GRUBVariableEvent.Kind] {
            switch command {
            case "eval": return [.hideAll]
            case "for", "read", "unset": return words.first.map { [.hide($0)] } ?? []
            case "probe", "regexp", "smbios", "cpuid", "hwmatch", "getenv", "lsefi", "date", "setkey",
                "rdmsr",
                "inb", "inw", "inl", "read_byte", "read_word", "read_dword":
                break
            default: return []
            }
            var names: [Substring] = words.compactMap { $0.suffix(behind: "--set=") }
            for (option, name) in zip(words, words.dropFirst()) where ["-s", "--set", "-v"].contains(option) {
                names.append(name[...])
            }
            // "1:NAME" takes a part of what was found.
            return names.compactMap { $0.split(separator: ":").last }.map { .hide(String($0)) }
        }

        /// `root=…`.
        private mutating func readRoot(_ word: GRUBScript.Word) {
            guard word.text.hasPrefix("root=") else { return }
            add(word.hasVariable ? .unknown : .device(String(word.text.dropFirst("root=".count))))
        }

        /// Where files lie from now on.
        private mutating func add(_ place: GRUBRootSetting.Place) {
            guard !isSkipped else { return }
            // A function's body runs when it is called.
            let isConditional =
                !branches.isEmpty || blocks.contains { if case .other = $0 { true } else { false } }
            let setting = GRUBRootSetting(place: place, isConditional: isConditional)
            if current != nil {
                current?.add(setting, branches)
            } else if counts.count == 1 {
                config.rootSettings.append(setting)
            }
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
            current = OpenGRUBEntry(
                head: BootEntry(
                    title: (titles + [title]).joined(separator: ">"), index: 0, identifiers: identifiers,
                    menuPath: path, range: head.range, isUncertain: isUncertain))
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
                if isKernel { return addKernel(name, words, head) }
                current?.withKernels(of: branches) {
                    Self.read(name, words, bytes, into: &$0)
                    $0.note(head, branches)
                }
            } else if isKernel {
                // A kernel outside any entry boots too, when the commands before it come to it.
                var loose = BootEntry(
                    title: "(no entry)", index: config.entries.count, range: head.range)
                loose.isLoose = true
                Self.read(name, words, bytes, into: &loose)
                loose.note(head, branches)
                config.entries.append(loose)
            } else if Self.initrdCommands.contains(name), config.entries.last?.isLoose == true {
                Self.read(name, words, bytes, into: &config.entries[config.entries.count - 1])
                config.entries[config.entries.count - 1].note(head, branches)
            }
            return true
        }

        private mutating func addKernel(
            _ name: String, _ words: ArraySlice<GRUBScript.Word>, _ head: GRUBScript.Word
        ) -> Bool {
            guard words.first != nil, var entry = current?.head else { return true }
            entry.grub.branches = branches
            Self.read(name, words, bytes, into: &entry)
            entry.note(head, branches)
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
                entry.grub.kernel = path.text
                entry.rootSettingCounts = [entry.rootSettings.count]
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
                    entry.grub.kernel = path.text
                    setArguments(bytes, files.dropFirst(), into: &entry)
                } else {
                    entry.addInitrd(path.text, path.range)
                    entry.grub.initrds = entry.initrds
                }
            case _ where initrdCommands.contains(name):
                for word in words { entry.addInitrd(word.text, word.range) }
                entry.grub.initrds = entry.initrds
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

extension BootEntry {
    /// Takes in a command by which a file of it is loaded, where not every GRUB has that. One behind a test may be there for
    /// the firmware that has it.
    fileprivate mutating func note(_ command: GRUBScript.Word, _ branches: [GRUBBranch]) {
        guard branches.isEmpty, GRUBCommandWord.common[command.text] != nil, !command.isQuoted else { return }
        loaderCommands.append(GRUBCommandWord(name: command.text, range: command.range))
    }
}
