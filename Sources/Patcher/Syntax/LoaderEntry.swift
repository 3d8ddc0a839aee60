/// An entry of the Boot Loader Specification (uapi-group.org), as GRUB's blscfg and systemd-boot read it: a file
/// of `key value` lines.
package struct LoaderEntry: Sendable, Equatable {
    /// The kernel it offers.
    package var entry: BootEntry
    /// Its name: the file's without ".conf".
    package var identifier: String
    /// The `version` it sorts by.
    package var version: String
    /// The `sort-key` and the `machine-id` that systemd-boot sorts by.
    private var sortKey = ""
    private var machine = ""
    /// systemd-boot's counter in the file's name says that no tries are left.
    private var hasNoTriesLeft: Bool
    /// The keys that say what is started.
    private var programKeys: Set<String> = []
    /// The `architecture` that it is for.
    private var architecture = ""

    /// Reads a file.
    package init(_ bytes: [UInt8], identifier: String) {
        self.identifier = identifier
        version = ""
        hasNoTriesLeft =
            identifier.lastIndex(of: "+").map { identifier[$0...].split(separator: "-").first == "+0" }
            ?? false
        entry = BootEntry(title: identifier, index: 0, identifiers: [identifier], range: 0..<bytes.count)
        var program: String?
        var words: [Range<Int>] = []
        for line in TextLine.all(in: bytes) {
            let fields = bytes.fields(in: line.content)
            guard let key = fields.first, fields.count > 1 else { continue }
            let rest = bytes.trimmed(fields[1].lowerBound..<line.content.upperBound)
            if EFILoader.programKeys.contains(bytes.text(key)) { programKeys.insert(bytes.text(key)) }
            switch bytes.text(key) {
            case "title": entry.title = bytes.text(rest)
            case "version": version = bytes.text(rest)
            case "sort-key": sortKey = bytes.text(fields[1])
            case "machine-id": machine = bytes.text(fields[1])
            case "architecture": architecture = bytes.text(fields[1]).lowercased()
            case "linux", "uki": entry.kernel = bytes.text(fields[1])
            case "efi": program = bytes.text(fields[1])
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
        // A kernel is a program too, and is given a root; other programs are no kernels.
        if entry.kernel == nil, entry.commandLine.has("root") || !entry.initrds.isEmpty {
            entry.kernel = program
        }
    }

    /// systemd-boot's order (boot.c, boot_entry_compare): what has tries left, what has a sort key, by it, the machine and the
    /// version; else by name, the highest first.
    static func isAheadInSystemdBoot(_ one: LoaderEntry, of other: LoaderEntry) -> Bool {
        if one.hasNoTriesLeft != other.hasNoTriesLeft { return other.hasNoTriesLeft }
        if one.sortKey.isEmpty != other.sortKey.isEmpty { return other.sortKey.isEmpty }
        if !one.sortKey.isEmpty {
            if one.sortKey != other.sortKey { return one.sortKey < other.sortKey }
            if one.machine != other.machine { return one.machine < other.machine }
            let order = VersionOrder.compare(one.version, other.version)
            if order != 0 { return order > 0 }
        }
        return VersionOrder.compare(one.fileName, other.fileName) > 0
    }

    /// Puts in what variables of GRUB's stand for: its command puts them into the arguments, and then runs all of the entry.
    mutating func expand(_ bytes: [UInt8], _ scope: GRUBScope) {
        entry.kernel = entry.kernel.map(scope.path)
        entry.initrds = entry.initrds.map(scope.path)
        entry.expandArguments(bytes, scope)
    }

    /// What systemd-boot knows it by.
    private var fileName: String { identifier.lowercased() + ".conf" }

    /// Whether a loader of that machine ("x64") offers it.
    func isFor(_ suffix: String) -> Bool { architecture.isEmpty || architecture == suffix }

    /// GRUB offers the highest first by the files' names, whatever their keys say (blscfg's comparison). A rescue entry's name
    /// has "0-rescue" in the version's place and so comes last.
    package static func isAhead(_ one: LoaderEntry, of other: LoaderEntry) -> Bool {
        VersionOrder.compare(one.identifier, other.identifier) > 0
    }
}

extension LoaderEntry: BootMenu {
    package static let kind = ConfigurationKind("loader-entry")
    package static var bootCode: BootCode? { .grub2 }
    package static var family: BootMenuFamily? { .loaderEntries }
    package static var uefiReader: MenuReader? { .systemdBoot }
    package static var isOneEntryOfMany: Bool { true }
    package static var pathBase: LoaderPathBase { .volume }
    // A menu of GRUB 2 reads them; on a BIOS nothing else does.
    package static var start: LoaderStart { .loadersVolume }
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
        let isSystemdBoot = guest.menuReader == .systemdBoot
        guard guest.volumeOfUnreadLoaderConfiguration == nil, isSystemdBoot || !guest.menuOrdersLoaderEntries
        else {
            return []
        }
        let isGRUB =
            !isSystemdBoot && (guest.savedEntry != nil || !guest.files(GRUB2Config.self).isEmpty)
        let menus = isSystemdBoot ? menus.filter { guest.isInUse($0.file) } : menus
        let machine = guest.efiMachine.suffix
        // GRUB passes over what has no kernel (blscfg.c), systemd-boot over what has no key that it knows.
        let known: Set<String>? = isSystemdBoot ? guest.lastProgram?.entryKeys : isGRUB ? ["linux"] : nil
        let sorted = menus.filter { menu in
            (isGRUB || menu.syntax.isFor(machine))
                && (known.map { !menu.syntax.programKeys.isDisjoint(with: $0) } ?? true)
        }.sorted {
            isGRUB ? isAhead($0.syntax, of: $1.syntax) : isAheadInSystemdBoot($0.syntax, of: $1.syntax)
        }
        let chosen =
            guest.systemdBootDefault.flatMap { wanted in
                sorted.first { SystemdBootConfiguration.matches($0.syntax.identifier, pattern: wanted.text) }
            }
            ?? (isSystemdBoot ? nil : guest.savedEntry).flatMap { saved in
                sorted.first { $0.syntax.identifier == saved.text }
            }
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
