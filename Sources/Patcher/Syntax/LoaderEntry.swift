/// An entry of the Boot Loader Specification (uapi-group.org), as GRUB's blscfg and systemd-boot read it: a file
/// of `key value` lines.
package struct LoaderEntry: Sendable, Equatable {
    /// The kernel it offers.
    package var entry: BootEntry
    /// Its name: the file's without ".conf".
    package var identifier: String
    /// The `version` it sorts by.
    package var version: String

    /// Reads a file.
    package init(_ bytes: [UInt8], identifier: String) {
        self.identifier = identifier
        version = ""
        entry = BootEntry(title: identifier, index: 0, identifiers: [identifier], range: 0..<bytes.count)
        var words: [Range<Int>] = []
        for line in TextLine.all(in: bytes) {
            let fields = bytes.fields(in: line.content)
            guard let key = fields.first, fields.count > 1 else { continue }
            let rest = bytes.trimmed(fields[1].lowerBound..<line.content.upperBound)
            switch bytes.text(key) {
            case "title": entry.title = bytes.text(rest)
            case "version": version = bytes.text(rest)
            case "linux", "efi", "uki": entry.kernel = bytes.text(fields[1])
            case "initrd":
                // RHEL writes variables of grubenv behind the path.
                for field in fields.dropFirst() where bytes[field.lowerBound] != .dollar {
                    entry.initrds.append(bytes.text(field))
                    entry.initrdRanges.append(field)
                }
            case "options":
                words += KernelCommandLine(bytes, in: rest).arguments.map(\.range)
                entry.argumentsRange = rest
            default: break
            }
        }
        entry.commandLine = KernelCommandLine(bytes, words: words)
    }

    /// GRUB offers the highest version first.
    package static func isAhead(_ one: LoaderEntry, of other: LoaderEntry) -> Bool {
        // A rescue entry's version begins with "0-rescue" and so comes last.
        compareVersions(
            one.version.isEmpty ? one.identifier : one.version,
            other.version.isEmpty ? other.identifier : other.version)
            > 0
    }

    /// rpm's way: runs of digits compare as numbers, other runs as text. Positive when `one` is the higher.
    static func compareVersions(_ one: String, _ other: String) -> Int {
        var left = Array(one.utf8)[...]
        var right = Array(other.utf8)[...]
        while !left.isEmpty, !right.isEmpty {
            let leftDigits = left.prefix(while: \.isDigit)
            let rightDigits = right.prefix(while: \.isDigit)
            if !leftDigits.isEmpty, !rightDigits.isEmpty {
                let (a, b) = (leftDigits.drop { $0 == 48 }, rightDigits.drop { $0 == 48 })
                if a.count != b.count { return a.count - b.count }
                if !a.elementsEqual(b) { return a.lexicographicallyPrecedes(b) ? -1 : 1 }
                left = left.dropFirst(leftDigits.count)
                right = right.dropFirst(rightDigits.count)
            } else {
                if left.first != right.first { return Int(left.first ?? 0) - Int(right.first ?? 0) }
                left = left.dropFirst()
                right = right.dropFirst()
            }
        }
        return left.count - right.count
    }
}

extension LoaderEntry: BootMenu {
    package static let kind = ConfigurationKind("loader-entry")
    package static let places: [ConfigurationPlace] = [
        .directory("/boot/loader/entries", suffix: ".conf"),
        .directory("/efi/loader/entries", suffix: ".conf"),
        .directory("/boot/efi/loader/entries", suffix: ".conf"),
    ]

    package init(_ bytes: [UInt8], path: String) {
        let name = path.split(separator: "/").last ?? ""
        self.init(bytes, identifier: String(name.dropLast(".conf".count)))
    }

    package var entries: [BootEntry] { [entry] }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] { entry.deviceSites(in: bytes) }

    package func defaultEntry(of guest: LinuxSystem) -> BootEntry? { nil }

    /// One of all files: systemd-boot's choice, GRUB's saved one, or the newest. None where systemd-boot's cannot be read.
    package static func defaults(among menus: [ParsedFile<Self>], of guest: LinuxSystem) -> [MenuEntry] {
        guard guest.volumeOfUnreadLoaderConfiguration == nil, !guest.menuOrdersLoaderEntries else {
            return []
        }
        let sorted = menus.sorted { isAhead($0.syntax, of: $1.syntax) }
        let chosen =
            guest.systemdBootDefault.flatMap { wanted in
                sorted.first { SystemdBootConfiguration.matches($0.syntax.identifier, pattern: wanted.text) }
            } ?? guest.savedEntry.flatMap { saved in sorted.first { $0.syntax.identifier == saved.text } }
            ?? sorted.first
        return [chosen].compactMap { $0 }.map { MenuEntry(file: $0.file, entry: $0.syntax.entry) }
    }

    package func choose(_ entry: MenuEntry, in file: ScannedFile, of guest: LinuxSystem) -> DefaultChoice {
        guard let wanted = entry.file.syntax as? LoaderEntry else { return DefaultChoice() }
        if let place = guest.systemdBootDefault {
            return DefaultChoice(changes: [
                .init(file: place.file, range: place.range, text: wanted.identifier + ".conf")
            ])
        }
        let next = guest.files.lazy.compactMap { $0.grubMenu?.nextEntry(of: guest) }.first
        guard let place = next ?? guest.savedEntry else { return DefaultChoice() }
        return DefaultChoice(changes: [.init(file: place.file, range: place.range, text: wanted.identifier)])
    }
}
