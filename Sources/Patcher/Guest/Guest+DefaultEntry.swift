extension Guest {
    /// The entry that boots by itself in the guest as it was found, for each loader: the file and the entry.
    package var defaultEntries: [(file: ScannedFile, entry: BootEntry)] {
        var found: [(ScannedFile, BootEntry)] = []
        for file in files where file.kind != .grubCustom {
            switch file.syntax {
            case .grubLegacy(let menu):
                let index = menu.defaultIndex ?? savedLegacyIndex ?? 0
                if let entry = menu.entries.first(where: { $0.index == index }) {
                    found.append((file, entry))
                }
            case .grub2(let menu):
                if !menu.entries.isEmpty, let entry = defaultEntry(menu) { found.append((file, entry)) }
            case .syslinux(let menu):
                if let entry = menu.entries.first(where: { $0.index == menu.defaultIndex }) {
                    found.append((file, entry))
                }
            case .lilo(let menu):
                let entry = menu.entries.first { $0.title == menu.defaultText } ?? menu.entries.first
                if let entry { found.append((file, entry)) }
            default: break
            }
        }
        if let entry = defaultLoaderEntry() { found.append(entry) }
        return found
    }

    /// `default saved` of GRUB legacy: the number on the first line of its file.
    private var savedLegacyIndex: Int? {
        files(.grubLegacySaved).first?.rows.first?.words.first.flatMap { DiskName.smallNumber($0) }
    }

    /// What grub.cfg sets `default` to: a literal, or what the environment block has saved.
    private func defaultEntry(_ menu: GRUB2Config) -> BootEntry? {
        let usesSaved = menu.defaults.contains { $0.text.contains("saved_entry") }
        if usesSaved, let saved = savedEntry?.text, let entry = menu.entry(named: saved) { return entry }
        let literal = menu.defaults.last { !$0.text.isEmpty && !$0.text.contains("$") }
        if let literal, let entry = menu.entry(named: literal.text) { return entry }
        return menu.entries.first
    }

    /// `saved_entry` of the environment block.
    var savedEntry: (file: ScannedFile, range: Range<Int>, text: String)? {
        for file in files(.grubEnvironment) {
            if case .grubEnvironment(let block) = file.syntax, let saved = block.last("saved_entry") {
                return (file, saved.valueRange, saved.text)
            }
        }
        return nil
    }

    private var loaderEntries: [(file: ScannedFile, entry: LoaderEntry)] {
        files(.loaderEntry).compactMap { file in
            if case .loaderEntry(let entry) = file.syntax { (file, entry) } else { nil }
        }
    }

    private func defaultLoaderEntry() -> (ScannedFile, BootEntry)? {
        let sorted = loaderEntries.sorted { LoaderEntry.isAhead($0.entry, of: $1.entry) }
        let chosen =
            systemdBootDefault.flatMap { wanted in
                sorted.first { matches($0.entry.identifier, pattern: wanted.text) }
            } ?? savedEntry.flatMap { saved in sorted.first { $0.entry.identifier == saved.text } }
            ?? sorted.first
        return chosen.map { ($0.file, $0.entry.entry) }
    }

    /// loader.conf's `default`.
    var systemdBootDefault: (file: ScannedFile, range: Range<Int>, text: String)? {
        for file in files(.systemdBoot) {
            for row in file.rows where row.words.first == "default" && row.words.count > 1 {
                return (file, row.ranges[1], row.words[1])
            }
        }
        return nil
    }

    /// systemd-boot's patterns: with or without ".conf", "*" for anything.
    private func matches(_ identifier: String, pattern: String) -> Bool {
        let pattern = pattern.hasSuffix(".conf") ? String(pattern.dropLast(5)) : pattern
        guard let star = pattern.firstIndex(of: "*") else { return identifier == pattern }
        return identifier.hasPrefix(pattern[..<star])
    }
}
