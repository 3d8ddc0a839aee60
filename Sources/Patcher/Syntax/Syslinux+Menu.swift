package import GuestTree

extension Syslinux: BootMenu {
    package static let kind = ConfigurationKind("syslinux")
    package static var initrdSeparator: String { "," }
    package static var setsVariables: Bool { true }
    package static var pathBase: LoaderPathBase { .ownDirectory }
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

    package func defaultEntry(of guest: LinuxSystem) -> BootEntry? { nil }

    /// The files that it reads as part of itself, or shows in its place.
    package var includedFiles: [(words: [String], syntax: any ConfigurationSyntax.Type)] {
        [(statements.compactMap { if case .include(let word) = $0 { word } else { nil } }, Syslinux.self)]
    }

    package static var programsBesideIt: [String] { ["ldlinux.", "extlinux.sys"] }

    package static func parts(ofMenusWith files: Set<FileKey>, of guest: LinuxSystem) -> Set<FileKey> {
        guest.syslinuxMenus.map(\.files).filter { !$0.isDisjoint(with: files) }.reduce([]) { $0.union($1) }
    }

    package static func isReached(_ file: ScannedFile, of guest: LinuxSystem) -> Bool {
        guest.syslinuxMenus.contains { $0.files.contains(file.file.key) }
    }

    package static func complaint(ofMissing path: String) -> String? {
        "Could not find kernel image: \(path)"
    }

    /// Each file that the loader begins with, and what it reads.
    package static func defaults(among menus: [ParsedFile<Self>], of guest: LinuxSystem) -> [MenuEntry] {
        guest.syslinuxMenus.flatMap(\.defaults)
    }

    package func choose(_ entry: MenuEntry, in file: ScannedFile, of guest: LinuxSystem) -> DefaultChoice {
        guard let label = entry.entry.identifiers.first,
            let menu = guest.syslinuxMenus.first(where: { menu in menu.files.contains(file.file.key) })
        else { return DefaultChoice() }
        var choice = DefaultChoice()
        // `DEFAULT vesamenu.c32` shows the menu, in which `MENU DEFAULT` counts.
        for place in [menu.labelled, menu.onTimeout].compactMap({ $0 })
        where menu.entry(place.text) != nil || menu.marks.isEmpty && !place.text.hasSuffix(".c32") {
            choice.changes.append(.init(file: place.file, range: place.range, text: label))
        }
        guard let mark = menu.marks.last, entry.entry.index < labelEnds.count else { return choice }
        for place in menu.marks where place.entry.key != entry.key {
            choice.changes.append(.init(file: place.entry.file, range: place.line, text: ""))
        }
        if !menu.marks.contains(where: { $0.entry.key == entry.key }) {
            let end = labelEnds[entry.entry.index]
            let line = mark.entry.file.bytes.text(mark.line)
            choice.changes.append(
                .init(file: file, range: end..<end, text: line.last?.isNewline == true ? line : line + "\n"))
        }
        return choice
    }
}

/// A menu of syslinux: the file that it begins with, and those that this one reads.
struct SyslinuxMenu: Sendable {
    /// A place that names an entry.
    struct Place {
        var text: String
        var file: ScannedFile
        var range: Range<Int>
    }

    private(set) var entries: [MenuEntry] = []
    /// The last `DEFAULT`.
    private(set) var labelled: Place?
    /// The last `ONTIMEOUT`.
    private(set) var onTimeout: Place?
    /// Entries marked `MENU DEFAULT`, with the lines that say so; the last one counts.
    private(set) var marks: [(entry: MenuEntry, line: Range<Int>)] = []
    /// Its files.
    private(set) var files: Set<FileKey> = []

    init(_ file: ScannedFile, of guest: LinuxSystem) { read(file, guest, depth: 0) }

    /// Files that read each other do not go on for ever.
    private static let depthLimit = 16

    private mutating func read(_ file: ScannedFile, _ guest: LinuxSystem, depth: Int) {
        guard let text = file.syntax as? Syslinux, depth < Self.depthLimit,
            files.insert(file.file.key).inserted
        else { return }
        func entry(_ index: Int) -> MenuEntry? {
            text.entries.indices.contains(index) ? MenuEntry(file: file, entry: text.entries[index]) : nil
        }
        // A file is read once, however often it is named.
        var included: Set<String> = []
        for statement in text.statements {
            switch statement {
            case .entry(let index): entries += [entry(index)].compactMap { $0 }
            case .labelled(let range):
                labelled = Place(text: file.bytes.text(range), file: file, range: range)
            case .onTimeout(let range):
                onTimeout = Place(text: file.bytes.text(range), file: file, range: range)
            case .mark(let index, let line):
                if let entry = entry(index) { marks.append((entry, line)) }
            case .include(let word):
                guard included.insert(word).inserted else { continue }
                if let other = guest.file(included: word, in: file) { read(other, guest, depth: depth + 1) }
            }
        }
    }

    /// The entry of a label, with arguments behind it or without.
    func entry(_ text: String) -> MenuEntry? {
        func labelled(_ label: some StringProtocol) -> MenuEntry? {
            entries.first { item in item.entry.identifiers.first.map { $0 == label } ?? false }
        }
        return labelled(text) ?? text.split(separator: " ").first.flatMap { labelled($0) }
    }

    /// The entries that may boot by themselves: what boots when the time is over, and what a menu or the prompt takes. Which
    /// of them does hangs on the version and on what is shown.
    var defaults: [MenuEntry] {
        let found = [
            onTimeout.flatMap { entry($0.text) }, marks.last?.entry, labelled.flatMap { entry($0.text) },
        ].compactMap { $0 }
        var items: [MenuEntry] = []
        for item in found where !items.contains(where: { $0.key == item.key }) { items.append(item) }
        return items.isEmpty ? Array(entries.prefix(1)) : items
    }
}

extension LinuxSystem {
    /// The menus of syslinux. It begins with a file of one of its own names, and with no other than the one in its directory,
    /// where its program is found.
    func findSyslinuxMenus() -> [SyslinuxMenu] {
        let names: Set<String> = ["extlinux.conf", "syslinux.cfg"]
        let first = files.filter { file in
            file.syntax is Syslinux
                && names.contains(file.path.split(separator: "/").last?.lowercased() ?? "")
        }
        let installed = first.filter {
            inspection.programDirectories.contains($0.file.displayPath.directoryPart)
        }
        return (installed.isEmpty ? first : installed).map { SyslinuxMenu($0, of: self) }
    }
}
