/// GRUB 2's grub.cfg: menu entries with their kernels, and variables that carry kernel arguments.
package struct GRUB2Config: Sendable, Equatable {
    /// The entries in order, nested menus flattened. An entry whose branches load several kernels is there once for each.
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

    /// A file without anything in it.
    init() {}

    /// Reads a file.
    package init(_ bytes: [UInt8]) {
        var reader = Reader(bytes: bytes)
        reader.readAll()
        self = reader.config
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

    /// `NAME=VALUE`.
    mutating func readVariable(_ bytes: [UInt8], _ word: GRUBScript.Word?) {
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

    /// Every kernel of the default entry: which branch runs, the machine decides.
    package static func defaults(among menus: [ParsedFile<Self>], of guest: LinuxSystem) -> [MenuEntry] {
        menus.flatMap { menu -> [MenuEntry] in
            guard let chosen = menu.syntax.defaultEntry(of: guest) else { return [] }
            return menu.syntax.entries.filter { $0.range == chosen.range }.map {
                MenuEntry(file: menu.file, entry: $0)
            }
        }
    }

    /// What grub.cfg sets `default` to: a literal, or what the environment block has saved.
    package func defaultEntry(of guest: LinuxSystem) -> BootEntry? {
        if usesSavedDefault, let saved = guest.savedEntry?.text, let entry = entry(named: saved) {
            return entry
        }
        let literal = defaults.last { !$0.text.isEmpty && !$0.text.contains("$") }
        if let literal, let entry = entry(named: literal.text) { return entry }
        return entries.first
    }

    private var usesSavedDefault: Bool { defaults.contains { $0.text.contains("saved_entry") } }

    package func choose(_ entry: MenuEntry, in file: ScannedFile, of guest: LinuxSystem) -> DefaultChoice {
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
