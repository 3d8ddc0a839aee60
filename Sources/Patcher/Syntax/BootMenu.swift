package import GuestTree

/// Where the paths of a loader's entries count from.
package enum LoaderPathBase: Sendable {
    /// The root of one volume, which commands of the menu may choose.
    case volume
    /// The root of the menu's own volume; a path without a slash before it, the directory that the loader was installed in.
    case ownDirectory
    /// The tree of the running system: a tool looked the files up.
    case system
}

/// Where a loader that a BIOS starts looks before any command says otherwise.
package enum LoaderStart: Sendable {
    /// On the volume of its own directory, which is the menu's own.
    case ownVolume
    /// On the volume of its own directory, wherever the file lies.
    case loadersVolume
    /// Cannot be told.
    case unknown
}

/// A boot loader's menu. What is peculiar to a loader is said here, so that nothing else asks which loader's menu a file is.
package protocol BootMenu: ConfigurationSyntax {
    /// The kernels it offers, in order.
    var entries: [BootEntry] { get }
    /// The loader reads this file when it boots; false where a tool makes a map of it before.
    static var isReadAtBoot: Bool { get }
    /// An entry may name several initramfs files.
    static var takesSeveralInitrds: Bool { get }
    /// What stands between two of them in one command.
    static var initrdSeparator: String { get }
    /// The loader of UEFI's that reads it of its own accord; nil: none that is followed.
    static var uefiReader: MenuReader? { get }
    /// A file is one entry of a menu that all of them make, for whichever loader reads such entries (the Boot Loader
    /// Specification).
    static var isOneEntryOfMany: Bool { get }
    /// Where the paths of its entries count from.
    static var pathBase: LoaderPathBase { get }
    /// Where its loader looks first.
    static var start: LoaderStart { get }
    /// What the names of its program's files begin with, where they lie beside the menu, in small letters; empty where they do not.
    static var programsBesideIt: [String] { get }
    /// Every file of those menus of which one is among `files`, where a menu lies in several and the files tell of each other.
    static func parts(ofMenusWith files: Set<FileKey>, of guest: LinuxSystem) -> Set<FileKey>
    /// Whether a file is one that the loader begins with, or reads from there. False for what lies where no loader was found.
    static func isReached(_ file: ScannedFile, of guest: LinuxSystem) -> Bool
    /// What the loader says where a file is missing; nil where that is not known.
    static func complaint(ofMissing path: String) -> String?
    /// What it says where a device is.
    static func complaint(of problem: LoaderDeviceProblem, _ name: String) -> String?
    /// What gives an entry one more initramfs file, or another in place of its own.
    func texts(
        adding path: String, _ overlay: PlannedOverlay, to entry: BootEntry, in bytes: [UInt8]
    ) -> [TextChange]
    /// The entries that boot by themselves, with the file that holds each: one a menu, or one for all files where each
    /// holds an entry.
    static func defaults(among menus: [ParsedFile<Self>], of guest: LinuxSystem) -> [MenuEntry]
    /// The entry that boots by itself where each file is a menu of its own.
    func defaultEntry(of guest: LinuxSystem) -> BootEntry?
    /// What makes `entry` the default in place of the one in `file`, which is this menu's.
    func choose(_ entry: MenuEntry, in file: ScannedFile, of guest: LinuxSystem) -> DefaultChoice
}

extension BootMenu {
    package static var bootMenu: (any BootMenu.Type)? { self }
    package var bootMenu: (any BootMenu)? { self }
    package static var isBootLoader: Bool { true }
    package static var isReadAtBoot: Bool { true }
    package static var takesSeveralInitrds: Bool { true }
    package static var initrdSeparator: String { " " }
    package static var uefiReader: MenuReader? { nil }
    package static var isOneEntryOfMany: Bool { false }
    package static var pathBase: LoaderPathBase { .system }
    package static var start: LoaderStart { .unknown }

    package static var programsBesideIt: [String] { [] }

    package static func parts(ofMenusWith files: Set<FileKey>, of guest: LinuxSystem) -> Set<FileKey> { [] }

    package static func isReached(_ file: ScannedFile, of guest: LinuxSystem) -> Bool { true }

    package static func complaint(ofMissing path: String) -> String? { "error: file `\(path)' not found." }

    package static func complaint(of problem: LoaderDeviceProblem, _ name: String) -> String? {
        switch problem {
        case .noBearer: "Error 15: File not found"
        case .noDisk, .noLogicalVolumes, .noArrays, .noContainers, .noMedium, .ownDriver, .network,
            .madeByLoader, .noSuchName:
            "error: disk `\(name)' not found."
        case .holdsPartitions: "error: unknown filesystem."
        case .noPartition, .noSlices: "error: no such partition."
        }
    }

    package static func defaults(among menus: [ParsedFile<Self>], of guest: LinuxSystem) -> [MenuEntry] {
        menus.compactMap { menu in
            menu.syntax.defaultEntry(of: guest).map { MenuEntry(file: menu.file, entry: $0) }
        }
    }

    package func choose(_ entry: MenuEntry, in file: ScannedFile, of guest: LinuxSystem) -> DefaultChoice {
        DefaultChoice()
    }
}

/// An entry with the file that holds it.
package struct MenuEntry: Sendable {
    /// The menu's file.
    package var file: ScannedFile
    /// The entry.
    package var entry: BootEntry

    /// Which entry it is.
    package var key: EntryKey { EntryKey(file: file.file.key, index: entry.index) }
}

/// An entry's identity over all menus of a guest.
package struct EntryKey: Hashable, Sendable {
    /// The menu's file.
    package var file: FileKey
    /// Its place among the file's entries.
    package var index: Int
}

/// The texts that say which entry boots by itself.
package struct DefaultChoice: Sendable {
    /// One text and what it becomes.
    package struct Change: Sendable {
        /// The file that holds it.
        package var file: ScannedFile
        /// Its bytes.
        package var range: Range<Int>
        /// What stands there then.
        package var text: String
    }

    /// What the loader reads. Without any the default cannot be moved.
    package var changes: [Change] = []
    /// What the next making of the menu reads.
    package var settings: [Change] = []
}
