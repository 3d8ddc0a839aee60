/// syslinux.cfg and extlinux.conf (syslinux.org, SYSLINUX.CFG): keywords in any case, `LABEL` beginning an entry.
package struct Syslinux: Sendable, Equatable {
    /// The entries in order.
    package var entries: [BootEntry] = []
    /// The argument of `DEFAULT`: a label or a kernel, and where it stands.
    package var labelled: (text: String, range: Range<Int>)?
    /// The same of `ONTIMEOUT`.
    package var onTimeout: (text: String, range: Range<Int>)?
    /// Arguments outside every entry: an `APPEND` before the first label holds for entries without one of their own,
    /// and `DEFAULT` may be a kernel with its arguments.
    package var globalArguments: [KernelCommandLine] = []
    /// The entries marked `MENU DEFAULT`, with the lines that say so; the last one counts.
    package var menuDefaults: [(index: Int, line: Range<Int>)] = []
    /// Where the label's line ends, by the entry.
    private var labelEnds: [Int] = []

    package static func == (one: Self, other: Self) -> Bool {
        one.entries == other.entries && one.labelled?.range == other.labelled?.range
            && one.onTimeout?.range == other.onTimeout?.range
            && one.globalArguments == other.globalArguments
            && one.menuDefaults.map(\.line) == other.menuDefaults.map(\.line)
    }

    /// Reads a file.
    package init(_ bytes: [UInt8]) {
        var current: BootEntry?
        for line in TextLine.all(in: bytes) {
            let fields = bytes.fields(in: line.content)
            guard let key = fields.first else { continue }
            let rest =
                fields.count > 1
                ? bytes.trimmed(fields[1].lowerBound..<line.content.upperBound)
                : line.end.lowerBound..<line.end.lowerBound
            let keyword = bytes.text(key).lowercased()
            switch keyword {
            case "label":
                if let done = current { entries.append(done) }
                let label = bytes.text(rest)
                current = BootEntry(
                    title: label, index: entries.count, identifiers: [label], range: line.whole)
                labelEnds.append(line.whole.upperBound)
            case "default", "ontimeout":
                if keyword == "default" {
                    labelled = (bytes.text(rest), rest)
                } else {
                    onTimeout = (bytes.text(rest), rest)
                }
                if fields.count > 2 { globalArguments.append(KernelCommandLine(bytes, in: rest)) }
            default:
                guard var entry = current else {
                    if keyword == "append" { globalArguments.append(KernelCommandLine(bytes, in: rest)) }
                    continue
                }
                if keyword == "menu" {
                    let words = fields.dropFirst().map { bytes.text($0).lowercased() }
                    if words.first == "default" { menuDefaults.append((entry.index, line.whole)) }
                    if words.first == "label", fields.count > 2 {
                        entry.title = bytes.text(
                            bytes.trimmed(fields[2].lowerBound..<line.content.upperBound))
                    }
                } else {
                    Self.read(keyword, bytes, rest, into: &entry)
                }
                entry.range = entry.range.lowerBound..<line.whole.upperBound
                current = entry
            }
        }
        if let done = current { entries.append(done) }
    }

    private static func read(
        _ keyword: String, _ bytes: [UInt8], _ rest: Range<Int>, into entry: inout BootEntry
    ) {
        switch keyword {
        case "linux", "kernel":
            let path = bytes.text(rest)
            // Modules of syslinux itself are programs, not kernels.
            if !path.hasSuffix(".c32") { entry.kernel = path }
        case "initrd": addInitrds(bytes, rest, into: &entry)
        case "append":
            entry.commandLine = KernelCommandLine(bytes, in: rest)
            entry.argumentsRange = rest
            if let range = entry.commandLine.last("initrd")?.valueRange {
                addInitrds(bytes, range, into: &entry)
            }
        default: break
        }
    }

    private static func addInitrds(_ bytes: [UInt8], _ range: Range<Int>, into entry: inout BootEntry) {
        for part in bytes[range].split(separator: .comma) {
            entry.initrds.append(String(decoding: part, as: UTF8.self))
            entry.initrdRanges.append(part.startIndex..<part.endIndex)
        }
    }

    /// The indexes of the entries that may boot by themselves: what boots when the time is over, and what a menu or the
    /// prompt takes. Which of them does hangs on the version and on what is shown.
    package var defaultIndexes: [Int] {
        func index(_ text: String?) -> Int? {
            text.flatMap { name in entries.first { $0.identifiers.first == name }?.index }
        }
        let found = [index(onTimeout?.text), menuDefaults.last?.index, index(labelled?.text)].compactMap {
            $0
        }
        var indexes: [Int] = []
        for index in found where !indexes.contains(index) { indexes.append(index) }
        return indexes.isEmpty ? [entries.first?.index].compactMap { $0 } : indexes
    }
}

extension Syslinux: BootMenu {
    package static let kind = ConfigurationKind("syslinux")
    package static var initrdSeparator: String { "," }
    package static let places: [ConfigurationPlace] = [
        .path("/boot/extlinux.conf"), .path("/boot/syslinux.cfg"), .path("/extlinux.conf"),
        .path("/syslinux.cfg"), .path("/boot/efi/syslinux.cfg"), .path("/efi/syslinux.cfg"),
        .path("/boot/efi/syslinux/syslinux.cfg"), .path("/efi/syslinux/syslinux.cfg"),
        .directory("/boot/extlinux", suffix: ".conf"),
        .directory("/boot/extlinux", suffix: ".cfg"), .directory("/boot/syslinux", suffix: ".cfg"),
        .directory("/boot/syslinux", suffix: ".conf"), .vendor("syslinux.cfg"),
    ]

    package init(_ bytes: [UInt8], path: String) { self.init(bytes) }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] {
        entries.flatMap { $0.deviceSites(in: bytes) }
            + globalArguments.flatMap { $0.sharedDeviceSites(in: bytes) }
    }

    package func sharedCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        globalArguments.map { SharedCommandLine(line: $0) }
    }

    package func defaultEntry(of guest: LinuxSystem) -> BootEntry? {
        entries.first { $0.index == defaultIndexes.first }
    }

    package static func defaults(among menus: [ParsedFile<Self>], of guest: LinuxSystem) -> [MenuEntry] {
        menus.flatMap { menu in
            menu.syntax.defaultIndexes.compactMap { index in
                menu.syntax.entries.first { $0.index == index }.map { MenuEntry(file: menu.file, entry: $0) }
            }
        }
    }

    package func choose(_ entry: MenuEntry, in file: ScannedFile, of guest: LinuxSystem) -> DefaultChoice {
        guard let label = entry.entry.identifiers.first else { return DefaultChoice() }
        let labels = Set(entries.compactMap(\.identifiers.first))
        var choice = DefaultChoice()
        // `DEFAULT vesamenu.c32` shows the menu, in which `MENU DEFAULT` counts.
        for place in [labelled, onTimeout].compactMap({ $0 })
        where labels.contains(place.text) || menuDefaults.isEmpty && !place.text.hasSuffix(".c32") {
            choice.changes.append(.init(file: file, range: place.range, text: label))
        }
        guard let mark = menuDefaults.last, entry.entry.index < labelEnds.count else { return choice }
        for place in menuDefaults where place.index != entry.entry.index {
            choice.changes.append(.init(file: file, range: place.line, text: ""))
        }
        if !menuDefaults.contains(where: { $0.index == entry.entry.index }) {
            let end = labelEnds[entry.entry.index]
            let line = file.bytes.text(mark.line)
            choice.changes.append(
                .init(file: file, range: end..<end, text: line.last?.isNewline == true ? line : line + "\n"))
        }
        return choice
    }
}
