package import GuestTree

/// The name of a syntax in reports: "grub2".
package struct ConfigurationKind: RawRepresentable, Hashable, Sendable {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    /// A kind of that name.
    package init(_ name: String) { rawValue = name }
}

/// Where files of a syntax lie. A path comes before a directory that it lies in, whoever claims that.
package enum ConfigurationPlace: Sendable {
    /// One path.
    case path(String)
    /// Files of a directory whose names begin and end so.
    case directory(String, prefix: String = "", suffix: String = "")
    /// Files of the directories "NAME.d" below a directory, of the names that end so, as far as they are drop-ins (`.conf`).
    case dropIns(String, suffix: String)
    /// A file of that name in any vendor's directory of the EFI system partition.
    case vendor(String)
}

/// A syntax of configuration files, and a file that was read by it. Adding one takes a file with a type, and its line in
/// `ConfigurationSyntaxes.all`.
package protocol ConfigurationSyntax: Sendable {
    /// The name of reports.
    static var kind: ConfigurationKind { get }
    /// Which files of a guest it claims.
    static var places: [ConfigurationPlace] { get }
    /// Files of this syntax show that a boot loader is there.
    static var isBootLoader: Bool { get }
    /// Names of file systems must be paths here: `UUID=` is not understood.
    static var wantsPaths: Bool { get }
    /// A boot may hang on what such a file says, so that one that cannot be read leaves the guest unjudged. False for names of
    /// network cards, terminals, the display, and what tools ask for later.
    static var isNeededToBoot: Bool { get }
    /// What is `.reported` in such a file is remarked on where it means another device on the target. False where a step of its
    /// own says so.
    static var namesAreRemarkedOn: Bool { get }
    /// A disk of its own, without a partition, may be named here and is to be renamed.
    static var renamesDisks: Bool { get }

    /// Reads a file that was found at `path`.
    init(_ bytes: [UInt8], path: String)

    /// The device names in it.
    func deviceSites(in bytes: [UInt8]) -> [DeviceSite]
    /// Its kernel command lines that belong to no entry of a menu.
    func sharedCommandLines(in bytes: [UInt8]) -> [SharedCommandLine]
    /// Brings collected edits into the form that the file must keep. Says what is wrong when that cannot be: the edits are
    /// given up then.
    func settle(_ draft: inout FileDraft) -> Sentence?
    /// Edits of several systems that share the file can be put together.
    static var canBeShared: Bool { get }
}

extension ConfigurationSyntax {
    package static var isBootLoader: Bool { false }
    package static var isNeededToBoot: Bool { true }
    package static var namesAreRemarkedOn: Bool { true }
    package static var wantsPaths: Bool { false }
    package static var renamesDisks: Bool { true }
    package static var canBeShared: Bool { true }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] { [] }
    package func sharedCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] { [] }
    package func settle(_ draft: inout FileDraft) -> Sentence? { nil }
}

/// A kernel command line of a file that holds for several kernels.
package struct SharedCommandLine: Sendable {
    /// Its arguments.
    package var line: KernelCommandLine
    /// Where a first argument can be put; nil where none can.
    package var emptyPlace: Int?
    /// A blank would end the value: it stands in no quotes.
    package var isOneWord = false
}

/// A boot loader's menu.
package protocol BootMenu: ConfigurationSyntax {
    /// The kernels it offers, in order.
    var entries: [BootEntry] { get }
    /// The loader reads this file when it boots; false where a tool makes a map of it before.
    static var isReadAtBoot: Bool { get }
    /// An entry may name several initramfs files.
    static var takesSeveralInitrds: Bool { get }
    /// What stands between two of them in one command.
    static var initrdSeparator: String { get }
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
    package static var isBootLoader: Bool { true }
    package static var isReadAtBoot: Bool { true }
    package static var takesSeveralInitrds: Bool { true }
    package static var initrdSeparator: String { " " }

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
