/// A file that a menu of GRUB legacy shows by `configfile`. Its entries are offered; which entry boots by itself is for the menu
/// that leads to it to say.
package struct GRUBLegacyIncludedMenu: GRUBLegacyText, GRUBMenu {
    package static let kind = ConfigurationKind("grub-legacy-included")
    package static var bootCode: BootCode? { .grubLegacy }
    package static var takesSeveralInitrds: Bool { false }
    /// Wherever a menu says.
    package static let places: [ConfigurationPlace] = []

    package let legacyMenu: GRUBLegacy

    package init(_ bytes: [UInt8], path: String) { legacyMenu = GRUBLegacy(bytes) }

    package var entries: [BootEntry] { legacyMenu.entries }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] { legacyMenu.deviceSites(in: bytes) }
    package func sharedCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        legacyMenu.sharedCommandLines(in: bytes)
    }
    package func permanentCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] {
        legacyMenu.permanentCommandLines(in: bytes)
    }

    package func defaultEntry(of guest: LinuxSystem) -> BootEntry? { nil }

    package func choose(_ entry: MenuEntry, in file: ScannedFile, of guest: LinuxSystem) -> DefaultChoice {
        legacyMenu.choose(entry, in: file, of: guest)
    }
}

/// A menu in GRUB legacy's language.
package protocol GRUBLegacyText: ConfigurationSyntax {
    /// The text as GRUB legacy reads it.
    var legacyMenu: GRUBLegacy { get }
}

extension GRUBLegacyText {
    package var grubLegacyText: (any GRUBLegacyText)? { self }
    package static var family: BootMenuFamily? { .grubLegacy }

    package var includedFiles: [(words: [String], syntax: any ConfigurationSyntax.Type)] {
        [(legacyMenu.menuFiles, GRUBLegacyIncludedMenu.self)]
    }
}

extension GRUBLegacyText where Self: BootMenu {
    package static func complaint(ofMissing path: String) -> String? { "Error 15: File not found" }

    package static func complaint(of problem: LoaderDeviceProblem, _ name: String) -> String? {
        switch problem {
        case .noBearer: "Error 15: File not found"
        case .noDisk, .noLogicalVolumes, .noArrays, .noContainers, .noMedium, .ownDriver, .network,
            .madeByLoader, .noSuchName:
            "Error 21: Selected disk does not exist"
        case .holdsPartitions: "Error 17: Cannot mount selected partition"
        case .noPartition, .noSlices: "Error 22: No such partition"
        }
    }
}

extension GRUBLegacy: GRUBLegacyText {
    package var legacyMenu: GRUBLegacy { self }

    /// An entry that does nothing but show another menu leads to that one's default.
    package static func defaults(among menus: [ParsedFile<Self>], of guest: LinuxSystem) -> [MenuEntry] {
        menus.compactMap { defaultEntry(of: $0.file, guest, depth: 0) }
    }

    /// Menus that lead to each other do not go on for ever.
    private static let depthLimit = 8

    private static func defaultEntry(of file: ScannedFile, _ guest: LinuxSystem, depth: Int) -> MenuEntry? {
        guard depth < depthLimit, let menu = file.syntax.grubLegacyText?.legacyMenu else {
            return nil
        }
        func other(_ word: String?) -> ScannedFile? { word.flatMap { guest.file(included: $0, in: file) } }
        if let replacement = other(menu.replacement),
            let found = defaultEntry(of: replacement, guest, depth: depth + 1)
        {
            return found
        }
        guard let entry = menu.defaultEntry(of: guest) else { return nil }
        if entry.kernel == nil, let next = other(entry.menuFile) {
            return defaultEntry(of: next, guest, depth: depth + 1) ?? MenuEntry(file: file, entry: entry)
        }
        return MenuEntry(file: file, entry: entry)
    }
}

extension GRUBLegacy {
    /// The files of its `configfile` commands.
    var menuFiles: [String] { [replacement].compactMap { $0 } + entries.compactMap(\.menuFile) }
}
