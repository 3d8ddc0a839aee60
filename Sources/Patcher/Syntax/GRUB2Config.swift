/// GRUB 2's grub.cfg: menu entries with their kernels, and variables that carry kernel arguments.
package struct GRUB2Config: Sendable, Equatable {
    /// The entries in order, nested menus flattened. An entry whose branches load several kernels is there once for each.
    package var entries: [BootEntry] = []
    /// `set NAME=…` whose value is a kernel command line (`kernelopts`).
    package var commandLineVariables: [Variable] = []
    /// `set NAME=/dev/…`, used in a kernel line as `root=$NAME`.
    package var deviceVariables: [Variable] = []
    /// What kernel lines use variables for, those of other files too.
    var use = GRUBVariableUse()
    /// The values that `default` is set to, in order; empty texts and variables included.
    package var defaults: [Variable] = []
    /// The file reads Boot Loader Specification entries.
    package var readsBLSEntries = false
    /// Files that `source` and `configfile` read.
    var includes: [Include] = []
    /// What the commands outside all entries say of where files lie; entries come after all of them.
    var rootSettings: [GRUBRootSetting] = []
    /// What the commands outside all entries do to variables; entries come after all of them.
    var events: [GRUBVariableEvent] = []
    /// A command outside of all entries may show another menu, or boot, before this menu is shown.
    var mayLeave = false
    /// How many entries and menus it offers at its first level.
    var topLevelCount = 0

    /// A file that a command reads.
    struct Include: Sendable, Equatable {
        /// Its name as it is written, without quotes.
        var word: String
        /// How many entries of the first level come before those of the file; nil where they become no part of that level.
        var position: Int?
        /// The entries of the Boot Loader Specification, in place of a file.
        var isLoaderEntries = false
    }

    /// A variable that is set.
    package struct Variable: Sendable, Equatable {
        /// Its name.
        package var name: String
        /// The bytes of its value, without quotes.
        package var valueRange: Range<Int>
        /// The value.
        package var text: String
        /// The value with what variables in it stand for; nil where it has none, or they are not known.
        package var plainText: String?
        /// The value as a command line.
        package var commandLine: KernelCommandLine
        /// It is set where a test of what only the machine shows comes out so.
        package var isUncertain = false
    }

    /// A file without anything in it.
    init() {}

    /// Reads a file.
    package init(_ bytes: [UInt8]) { self.init(bytes, platform: nil) }

    /// Reads a file as GRUB for a platform ("pc", "efi") does; nil: what holds on any.
    init(_ bytes: [UInt8], platform: String?) {
        var reader = Reader(bytes: bytes, platform: platform)
        reader.readAll()
        self = reader.config
        for index in entries.indices {
            entries[index].rootSettings = rootSettings + entries[index].rootSettings
            for file in entries[index].rootSettingCounts.indices {
                entries[index].rootSettingCounts[file] += rootSettings.count
            }
        }
        use = variableUse(in: bytes)
        expand(bytes) { _ in nil }
    }

    /// The entry that a default names: "0", "1>2", titles or identifiers joined by ">".
    package func entry(named text: String) -> BootEntry? {
        let parts = text.split(separator: ">", omittingEmptySubsequences: false).map { String($0) }
        let exact = inside(parts[...]).first { $0.menuPath.count == parts.count }
        // Some titles hold ">" themselves; and an entry of a submenu may be saved by its own name alone.
        let own = entries.first { entry in
            let hasMark = entry.menuPath.contains { $0.names.first?.contains(">") ?? false }
            return entry.menuPath.last?.names.contains(text) ?? false || hasMark && entry.title == text
        }
        return exact ?? own ?? entryInside(parts[...])
    }

    /// A menu inside the menu is entered, and where it has no such entry, its first one boots.
    private func entryInside(_ path: ArraySlice<String>) -> BootEntry? {
        guard !path.isEmpty else { return nil }
        return inside(path).first { $0.menuPath.count > path.count } ?? entryInside(path.dropLast())
    }

    /// What is left of the menu behind these names. At each level the first that bears the name is the one that is meant, by its
    /// title or an identifier alike (GRUB's normal/menu.c, menuentry_eq).
    private func inside(_ path: ArraySlice<String>) -> [BootEntry] {
        var found = entries
        for (level, part) in path.enumerated() {
            let number = DiskName.smallNumber(part)
            found = found.filter { $0.menuPath.count > level }
            let place =
                number ?? found.first { $0.menuPath[level].names.contains(part) }?.menuPath[level].index
            found = found.filter { $0.menuPath[level].index == place }
        }
        return found
    }

    /// `NAME=VALUE`.
    mutating func readVariable(_ bytes: [UInt8], _ word: GRUBScript.Word?, isUncertain: Bool = false) {
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
            commandLine: line, isUncertain: isUncertain)
        if variable.name == "default" { defaults.append(variable) }
        if !line.sharedDeviceSites(in: bytes).isEmpty || line.has("root") || line.has("resume") {
            commandLineVariables.append(variable)
        } else if DeviceName(variable.text) != .notADevice {
            deviceVariables.append(variable)
        }
    }
}

extension GRUB2Config: BootMenu {
    package static let kind = ConfigurationKind("grub2")
    package static var bootCode: BootCode? { .grub2 }
    package static var setsVariables: Bool { true }
    package static var uefiReader: MenuReader? { .grub }
    package static var pathBase: LoaderPathBase { .volume }
    package static var start: LoaderStart { .ownVolume }
    package static let places: [ConfigurationPlace] = [
        .path("/boot/grub/grub.cfg"), .path("/boot/grub2/grub.cfg"), .path("/etc/grub2.cfg"),
        .path("/etc/grub2-efi.cfg"), .vendor("grub.cfg"),
    ]

    package init(_ bytes: [UInt8], path: String) { self.init(bytes) }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        var sites = entries.flatMap { $0.deviceSites(in: bytes) }
        sites += commandLineVariables.flatMap { $0.commandLine.sharedDeviceSites(in: bytes) }
        for variable in deviceVariables {
            guard let argument = use.devices[variable.name] else { continue }
            sites.append(
                DeviceSite(
                    range: variable.valueRange, text: variable.plainText ?? variable.text,
                    use: .sharedKernelArgument(name: argument))
            )
        }
        return sites
    }

    package func sharedCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        commandLineVariables.map { SharedCommandLine(line: $0.commandLine) }
    }

    /// `defaults` looks into other files too.
    package func defaultEntry(of guest: LinuxSystem) -> BootEntry? { nil }

    package func choose(_ entry: MenuEntry, in file: ScannedFile, of guest: LinuxSystem) -> DefaultChoice {
        guard let name = defaultName(of: entry.entry, in: file, of: guest) else { return DefaultChoice() }
        var choice = DefaultChoice()
        if let next = nextEntry(of: guest) {
            choice.changes = [.init(file: next.file, range: next.range, text: name)]
        } else if usesSavedDefault, let saved = guest.savedEntry {
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

extension GRUB2Config {
    /// What a default is to say so that GRUB takes that entry. Identifiers outlive a menu that is made anew, and titles most of
    /// it; several entries may bear one, of which GRUB takes the first. Nil where no words mean that entry.
    private func defaultName(
        of entry: BootEntry, in file: ScannedFile, of guest: LinuxSystem
    ) -> String? {
        let path = entry.menuPath
        guard !path.isEmpty else { return nil }
        let menus = ["pc", "efi"].map { GRUB2Config(file.bytes, platform: $0) }
        // Files that are read before or between the entries shift the numbers, and so do conditions.
        let hasPlainNumbers =
            includes.allSatisfy { $0.position == nil }
            && menus.allSatisfy { $0.topLevelCount == topLevelCount }
        var names: [String] = []
        if path.allSatisfy({ $0.names.count > 1 }) {
            names.append(path.map { $0.names[1] }.joined(separator: ">"))
        }
        let titles = path.compactMap(\.names.first)
        let numbers = path.map { "\($0.index)" }
        let hasIdentifiers = !names.isEmpty
        // Without identifiers the place in the menu is the surer of the two.
        if hasPlainNumbers, !hasIdentifiers { names.append(numbers.joined(separator: ">")) }
        if titles.count == path.count { names.append(titles.joined(separator: ">")) }
        if hasPlainNumbers, hasIdentifiers { names.append(numbers.joined(separator: ">")) }
        return names.first { name in
            // What a machine of the other firmware does not offer is not asked there.
            menus.allSatisfy { menu in
                !menu.entries.contains { $0.range == entry.range }
                    || menu.entry(named: name)?.range == entry.range
            }
        }
    }
}
