internal import GuestTree

/// A text in GRUB 2's language.
package protocol GRUB2Text: ConfigurationSyntax {
    /// The text as GRUB reads it.
    var menu: GRUB2Config { get set }
}

extension GRUB2Text {
    package var grub2Text: (any GRUB2Text)? { self }
    package static var family: BootMenuFamily? { .grub2 }

    package var includedFiles: [(words: [String], syntax: any ConfigurationSyntax.Type)] {
        [
            (menu.includes.filter { !$0.isLoaderEntries }.map(\.word), GRUBIncludedMenu.self),
            (menu.environmentFiles, GRUBVariablesFile.self),
        ]
    }
}

extension GRUB2Text where Self: BootMenu {
    package static var uefiReader: MenuReader? { .grub }
    package static var pathBase: LoaderPathBase { .volume }
}

/// A menu that a GRUB reads, of either age; entries in files of their own are none.
package protocol GRUBMenu: BootMenu {}

extension GRUBMenu {
    package static var isGRUBMenu: Bool { true }
    package static var uefiReader: MenuReader? { .grub }
    package static var pathBase: LoaderPathBase { .volume }
}

extension GRUB2Config: GRUB2Text, GRUBMenu {
    package var menu: GRUB2Config {
        get { self }
        set { self = newValue }
    }
}

extension GRUBLegacy: GRUBMenu {}

/// Which entry boots by itself: what the file sets `default` to, as a literal or as what the environment block has saved.
extension GRUB2Config {
    /// Every kernel of the default entry: which branch runs, the machine decides.
    package static func defaults(among menus: [ParsedFile<Self>], of guest: LinuxSystem) -> [MenuEntry] {
        var found: [MenuEntry] = []
        for menu in menus {
            guard let chosen = DefaultSearch(guest: guest).item(of: menu.file, depth: 0) else { continue }
            let same =
                chosen.file.grubMenu?.entries.filter { $0.range == chosen.entry.range } ?? [chosen.entry]
            for entry in same.map({ MenuEntry(file: chosen.file, entry: $0) })
            where !found.contains(where: { $0.key == entry.key }) {
                found.append(entry)
            }
        }
        return found
    }

    var usesSavedDefault: Bool { defaults.contains { $0.text.contains("saved_entry") } }

    /// The entry that the next start alone takes (grub-reboot), where the menu asks for it.
    func nextEntry(of guest: LinuxSystem) -> (file: ScannedFile, range: Range<Int>, text: String)? {
        guard defaults.contains(where: { $0.text.contains("next_entry") }) else { return nil }
        return guest.environmentValue("next_entry").flatMap { $0.text.isEmpty ? nil : $0 }
    }
}

/// Finds the default over the files that a menu reads.
private struct DefaultSearch {
    let guest: LinuxSystem

    /// Menus that lead to each other do not go on for ever.
    private static let depthLimit = 8

    /// The menu as GRUB on this guest's firmware shows it.
    private func menu(of file: ScannedFile) -> GRUB2Config? {
        guard let menu = file.grubMenu else { return nil }
        let firmware = guest.firmware
        guard firmware.isBIOSKnown, (firmware.biosDisk != nil) != firmware.hasUEFI else { return menu }
        return GRUB2Config(file.bytes, platform: firmware.hasUEFI ? "efi" : "pc")
    }

    /// A file that the menu reads as part of itself sets the default too; which of them comes last is not followed.
    private func setsDefaultElsewhere(_ config: GRUB2Config, _ file: ScannedFile) -> Bool {
        config.includes.contains { include in
            guard include.position != nil, !include.isLoaderEntries else { return false }
            let read = guest.file(included: include.word, in: file).map { [$0] } ?? customMenus(include.word)
            return read.contains { $0.syntax.grub2Text?.menu.defaults.isEmpty == false }
        }
    }

    /// Menus that people write, by the last part of their path: a variable may hide the rest.
    private func customMenus(_ word: String) -> [ScannedFile] {
        guest.files.filter { file in
            file.syntax is GRUBCustomMenu
                && file.path.split(separator: "/").last == word.split(separator: "/").last
        }
    }

    func item(of file: ScannedFile, depth: Int) -> MenuEntry? {
        guard let config = menu(of: file), depth < Self.depthLimit, !config.mayLeave,
            !setsDefaultElsewhere(config, file)
        else { return nil }
        var names: [String] = []
        if let next = config.nextEntry(of: guest) { names.append(next.text) }
        if config.usesSavedDefault, let saved = guest.savedEntry?.text { names.append(saved) }
        let saved = names.lazy.compactMap { item(named: $0, in: file, depth: depth) }.first
        if saved == nil, config.hasUncertainDefault { return nil }
        if let literal = config.defaults.last(where: \.isLiteral) { names.append(literal.text) }
        let found =
            saved ?? names.lazy.compactMap { item(named: $0, in: file, depth: depth) }.first
            ?? item(named: "0", in: file, depth: depth)
            ?? config.entries.first.map { entry($0, in: file) }
        // What may not be in the menu shifts the numbers.
        if names.allSatisfy({ $0.first?.isNumber == true }), let found,
            let place = found.entry.menuPath.first?.index,
            config.entries.contains(where: {
                $0.isUncertain && $0.menuPath.first.map { $0.index <= place } ?? false
            })
        {
            return nil
        }
        // An entry that does nothing but show another menu.
        guard let found, found.entry.kernel == nil, let word = found.entry.menuFile,
            let menu = guest.file(included: word, in: found.file)
        else { return found }
        return item(of: menu, depth: depth + 1) ?? found
    }

    /// The same entry of the file as it was read for any firmware.
    private func entry(_ entry: BootEntry, in file: ScannedFile) -> MenuEntry {
        let known = file.grubMenu?.entries.first {
            $0.range == entry.range && $0.grub.kernel == entry.grub.kernel
                && $0.argumentsRange == entry.argumentsRange
        }
        return MenuEntry(file: file, entry: known ?? entry)
    }

    /// The entry of a name. What other files offer stands at the place of the command that reads them.
    private func item(named text: String, in file: ScannedFile, depth: Int) -> MenuEntry? {
        guard let config = menu(of: file), depth < Self.depthLimit else { return nil }
        let parts = text.split(separator: ">", maxSplits: 1, omittingEmptySubsequences: false)
        let rest = parts.count > 1 ? ">" + parts[1] : ""
        guard let number = parts.first.flatMap({ DiskName.smallNumber($0) }) else {
            if let own = config.entry(named: text) { return entry(own, in: file) }
            return config.includes.lazy.compactMap { include -> MenuEntry? in
                if include.isLoaderEntries { return loaderEntries.first { $0.entry.isNamed(text) } }
                guard include.position != nil, let other = guest.file(included: include.word, in: file) else {
                    return nil
                }
                return item(named: text, in: other, depth: depth + 1)
            }.first
        }
        var shift = 0
        for include in config.includes {
            guard let position = include.position else { continue }
            if number < position + shift { break }
            let place = number - position - shift
            if include.isLoaderEntries {
                if place < loaderEntries.count { return loaderEntries[place] }
                shift += loaderEntries.count
            } else if let other = guest.file(included: include.word, in: file) {
                let count = menu(of: other)?.topLevelCount ?? 0
                if place < count { return item(named: "\(place)\(rest)", in: other, depth: depth + 1) }
                shift += count
            }
        }
        return config.entry(named: "\(number - shift)\(rest)").map { entry($0, in: file) }
    }

    /// Entries in files of their own, in GRUB's order.
    private var loaderEntries: [MenuEntry] {
        guest.files(LoaderEntry.self).sorted { LoaderEntry.isAhead($0.syntax, of: $1.syntax) }
            .map { MenuEntry(file: $0.file, entry: $0.syntax.entry) }
    }
}

extension GRUB2Config {
    /// The value is set by a test that nobody here can make, and another would be without it.
    fileprivate var hasUncertainDefault: Bool {
        let values = defaults.filter(\.isLiteral)
        guard let last = values.last, last.isUncertain else { return false }
        let possible = values.suffix(from: values.lastIndex { !$0.isUncertain } ?? 0).map(\.text)
        // Where none is certain, and none is set, the first entry boots.
        let all = Set(
            values.contains { !$0.isUncertain } ? possible : possible + (values.count > 1 ? [] : ["0"]))
        return all.count > 1
    }
}

extension GRUB2Config.Variable {
    /// A text of its own.
    fileprivate var isLiteral: Bool { !text.isEmpty && !text.contains("$") }
}

extension BootEntry {
    /// A default of this text means it.
    fileprivate func isNamed(_ text: String) -> Bool { title == text || identifiers.contains(text) }
}

extension ScannedFile {
    /// Its menu, where it is a text of GRUB 2.
    var grubMenu: GRUB2Config? { syntax.grub2Text?.menu }
}

extension LinuxSystem {
    /// The file that a menu's command reads, where it was found.
    func file(included word: String, in menu: ScannedFile) -> ScannedFile? {
        menu.includedFiles[word].flatMap { key in files.first { $0.file.key == key } }
    }

    /// A menu of GRUB 2 says where among its own the entries in files of their own stand.
    var menuOrdersLoaderEntries: Bool {
        systemdBootDefault == nil
            && files.contains {
                $0.syntax is GRUB2Config && $0.grubMenu?.readsBLSEntries == true && isInUse($0)
            }
    }
}
