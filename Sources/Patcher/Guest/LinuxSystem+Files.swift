internal import GuestTree
internal import Storage

extension LinuxSystem {
    /// Files of one syntax.
    package func files<Syntax: ConfigurationSyntax>(_ syntax: Syntax.Type) -> [ParsedFile<Syntax>] {
        (filePlaces[ObjectIdentifier(syntax)] ?? []).compactMap { index in
            (files[index].syntax as? Syntax).map { ParsedFile(file: files[index], syntax: $0) }
        }
    }

    /// All kernel command lines, those of entries that only Xen boots included.
    var commandLines: [CommandLinePlace] {
        files.flatMap { file -> [CommandLinePlace] in
            file.bootEntries.map { CommandLinePlace(file: file, line: $0.commandLine, entry: $0) }
                + file.syntax.sharedCommandLines(in: file.bytes).map {
                    CommandLinePlace(
                        file: file, line: $0.line, emptyPlace: $0.emptyPlace, isOneWord: $0.isOneWord)
                }
        }
    }

    /// The entries that boot by themselves, for each loader whose menu is not left over.
    func findDefaultEntries() throws(StorageError) -> [MenuEntry] {
        var places: [FileKey: Int] = [:]
        for (index, file) in files.enumerated() { places[file.file.key] = index }
        var found: [MenuEntry] = []
        for syntax in ConfigurationSyntaxes.all {
            guard let menu = syntax.bootMenu else { continue }
            try Cancellation.check()
            found += defaults(of: menu)
        }
        return found.filter { isInUse($0.file) }.sorted {
            places[$0.key.file] ?? 0 < places[$1.key.file] ?? 0
        }
    }

    private func defaults<Menu: BootMenu>(of menu: Menu.Type) -> [MenuEntry] {
        Menu.defaults(among: files(menu), of: self)
    }

    /// `saved_entry` of the environment block.
    var savedEntry: (file: ScannedFile, range: Range<Int>, text: String)? {
        environmentValue("saved_entry")
    }

    /// A variable of the environment block.
    func environmentValue(_ name: String) -> (file: ScannedFile, range: Range<Int>, text: String)? {
        for file in files(GRUBEnvironmentFile.self) {
            if let found = file.syntax.block?.last(name) { return (file.file, found.valueRange, found.text) }
        }
        return nil
    }

    /// loader.conf's `default`.
    var systemdBootDefault: (file: ScannedFile, range: Range<Int>, text: String)? {
        for file in files(SystemdBootConfiguration.self) {
            if let pattern = file.syntax.defaultPattern { return (file.file, pattern.range, pattern.text) }
        }
        return nil
    }
}

/// A kernel command line somewhere in the guest's files.
struct CommandLinePlace {
    var file: ScannedFile
    var line: KernelCommandLine
    /// The entry it belongs to; nil for settings that every kernel gets.
    var entry: BootEntry?
    /// Where a further argument can be put, when there is no argument yet.
    var emptyPlace: Int?
    /// A blank would end the value: it stands in no quotes.
    var isOneWord = false
}
