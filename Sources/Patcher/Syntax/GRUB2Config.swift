/// GRUB 2's grub.cfg: menu entries with their kernels, and variables that carry kernel arguments.
package struct GRUB2Config: Sendable, Equatable {
    /// The entries in order, nested menus flattened.
    package var entries: [BootEntry] = []
    /// `set NAME=…` whose value is a kernel command line (`kernelopts`).
    package var commandLineVariables: [Variable] = []
    /// `set NAME=/dev/…`, used in a kernel line as `root=$NAME`.
    package var deviceVariables: [Variable] = []
    /// The values that `default` is set to, in order; empty texts and variables included.
    package var defaults: [Variable] = []
    /// The file reads Boot Loader Specification entries.
    package var readsBLSEntries = false

    /// A variable that is set.
    package struct Variable: Sendable, Equatable {
        /// Its name.
        package var name: String
        /// The bytes of its value, without quotes.
        package var valueRange: Range<Int>
        /// The value.
        package var text: String
        /// The value as a command line.
        package var commandLine: KernelCommandLine
    }

    /// Menus, functions and conditions are never nested deeper.
    private static let depthLimit = 64
    private static let kernelCommands: Set<String> = [
        "linux", "linux16", "linuxefi", "multiboot", "multiboot2",
    ]
    private static let initrdCommands: Set<String> = ["initrd", "initrd16", "initrdefi"]

    /// Reads a file.
    package init(_ bytes: [UInt8]) {
        /// An open brace: a menu, an entry, or a function's body.
        enum Block {
            case submenu(title: String, names: [String], index: Int)
            case entry
            case other
        }
        var blocks: [Block] = []
        var opening: Block?
        var current: BootEntry?
        // How many entries and menus each open menu has so far.
        var counts = [0]
        for command in GRUBScript(bytes).commands {
            guard let head = command.first else { continue }
            switch head.text {
            case "{" where !head.isQuoted:
                guard blocks.count < Self.depthLimit else { return }
                if case .submenu = opening { counts.append(0) }
                blocks.append(opening ?? .other)
                opening = nil
            case "}" where !head.isQuoted:
                switch blocks.popLast() {
                case .submenu where counts.count > 1: counts.removeLast()
                case .entry:
                    guard var done = current else { continue }
                    done.range = done.range.lowerBound..<head.range.upperBound
                    entries.append(done)
                    current = nil
                default: break
                }
            case "menuentry":
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
                current = BootEntry(
                    title: (titles + [title]).joined(separator: ">"), index: entries.count,
                    identifiers: identifiers, menuPath: path, range: head.range)
                opening = .entry
            case "submenu":
                let title = command.dropFirst().first?.text ?? ""
                opening = .submenu(
                    title: title, names: [title] + Self.identifiers(command), index: counts[counts.count - 1])
                counts[counts.count - 1] += 1
            case "blscfg": readsBLSEntries = true
            case "set", "export": readVariable(bytes, command.dropFirst().first)
            default:
                if command.count == 1, head.text.contains("=") { readVariable(bytes, head) }
                // A kernel outside any entry boots too, when the commands before it come to it.
                if Self.kernelCommands.contains(head.text), current == nil {
                    var loose = BootEntry(title: "(no entry)", index: entries.count, range: head.range)
                    Self.read(command, bytes, into: &loose)
                    entries.append(loose)
                } else if var entry = current {
                    Self.read(command, bytes, into: &entry)
                    current = entry
                } else if Self.initrdCommands.contains(head.text), entries.last?.title == "(no entry)" {
                    Self.read(command, bytes, into: &entries[entries.count - 1])
                }
            }
        }
        if var cut = current {
            cut.range = cut.range.lowerBound..<bytes.count
            entries.append(cut)
        }
    }

    /// `--id X`, `$menuentry_id_option X`.
    private static func identifiers(_ command: GRUBScript.Command) -> [String] {
        var found: [String] = []
        for (option, value) in zip(command, command.dropFirst())
        where option.text == "--id" || option.text == "$menuentry_id_option" {
            found.append(value.text)
        }
        return found + command.compactMap { $0.text.hasPrefix("--id=") ? String($0.text.dropFirst(5)) : nil }
    }

    /// The entry that a default names: "0", "1>2", titles or identifiers joined by ">".
    package func entry(named text: String) -> BootEntry? {
        let parts = text.split(separator: ">", omittingEmptySubsequences: false).map { String($0) }
        let exact = entries.first { entry in
            entry.menuPath.count == parts.count
                && zip(entry.menuPath, parts).allSatisfy { level, part in
                    DiskName.smallNumber(part) == level.index || level.names.contains(part)
                }
        }
        // Some titles hold ">" themselves; and an entry of a submenu may be saved by its own name alone.
        return exact ?? entries.first { $0.title == text || $0.identifiers.contains(text) }
    }

    private static func read(_ command: GRUBScript.Command, _ bytes: [UInt8], into entry: inout BootEntry) {
        let words = command.dropFirst()
        switch command[0].text {
        case let name where kernelCommands.contains(name):
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
        case let name where initrdCommands.contains(name):
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

    private mutating func readVariable(_ bytes: [UInt8], _ word: GRUBScript.Word?) {
        guard let word, let equals = bytes[word.range].firstIndex(of: .equals) else { return }
        var value = equals + 1..<word.range.upperBound
        if value.count >= 2, let quote = bytes[value].first, quote == .doubleQuote || quote == .singleQuote,
            bytes[value.upperBound - 1] == quote
        {
            value = value.lowerBound + 1..<value.upperBound - 1
        }
        let line = KernelCommandLine(bytes, in: value)
        let variable = Variable(
            name: bytes.text(word.range.lowerBound..<equals), valueRange: value, text: bytes.text(value),
            commandLine: line)
        if variable.name == "default" { defaults.append(variable) }
        if line.has("root") || line.has("resume") {
            commandLineVariables.append(variable)
        } else if DeviceName(variable.text) != .notADevice {
            deviceVariables.append(variable)
        }
    }
}

extension GRUB2Config: BootMenu {
    package static let kind = ConfigurationKind("grub2")
    package static let places: [ConfigurationPlace] = [
        .path("/boot/grub/grub.cfg"), .path("/boot/grub2/grub.cfg"), .path("/etc/grub2.cfg"),
        .path("/etc/grub2-efi.cfg"), .vendor("grub.cfg"),
    ]

    package init(_ bytes: [UInt8], path: String) { self.init(bytes) }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        var sites = entries.flatMap { $0.deviceSites(in: bytes) }
        sites += commandLineVariables.flatMap { $0.commandLine.sharedDeviceSites(in: bytes) }
        let values = Set(
            entries.flatMap { $0.commandLine.arguments }.filter { $0.name == "root" }
                .compactMap { $0.valueRange.map { bytes.text($0) } })
        for variable in deviceVariables
        where values.contains("$\(variable.name)") || values.contains("${\(variable.name)}") {
            sites.append(
                DeviceSite(
                    range: variable.valueRange, text: variable.text, use: .sharedKernelArgument(name: "root"))
            )
        }
        return sites
    }

    package func sharedCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        commandLineVariables.map { SharedCommandLine(line: $0.commandLine) }
    }

    /// What grub.cfg sets `default` to: a literal, or what the environment block has saved.
    package func defaultEntry(of guest: Guest) -> BootEntry? {
        if usesSavedDefault, let saved = guest.savedEntry?.text, let entry = entry(named: saved) {
            return entry
        }
        let literal = defaults.last { !$0.text.isEmpty && !$0.text.contains("$") }
        if let literal, let entry = entry(named: literal.text) { return entry }
        return entries.first
    }

    private var usesSavedDefault: Bool { defaults.contains { $0.text.contains("saved_entry") } }

    package func choose(_ entry: MenuEntry, in file: ScannedFile, of guest: Guest) -> DefaultChoice {
        let path = entry.entry.menuPath
        // Identifiers outlive a menu that is made anew; without them the place in the menu must do.
        let hasIdentifiers = path.allSatisfy { $0.names.count > 1 }
        let name = path.map { hasIdentifiers ? $0.names[1] : "\($0.index)" }.joined(separator: ">")
        var choice = DefaultChoice()
        if usesSavedDefault, let saved = guest.savedEntry {
            choice.changes = [.init(file: saved.file, range: saved.range, text: name)]
        } else {
            choice.changes = defaults.filter { !$0.text.isEmpty && !$0.text.contains("$") }
                .map { .init(file: file, range: $0.valueRange, text: name) }
        }
        for (settings, defaults) in guest.files(GRUBDefaults.self).map({ ($0.file, $0.syntax.variables) }) {
            guard let value = defaults.last("GRUB_DEFAULT"), value.text != "saved", !value.isOpaque else {
                continue
            }
            choice.settings.append(
                .init(
                    file: settings, range: value.valueRange, text: value.quote == nil ? "\"\(name)\"" : name))
        }
        return choice
    }
}

/// A text in GRUB 2's language.
protocol GRUB2Text: ConfigurationSyntax {
    /// The text as GRUB reads it.
    var menu: GRUB2Config { get }
}

extension GRUB2Config: GRUB2Text {
    var menu: GRUB2Config { self }
}
