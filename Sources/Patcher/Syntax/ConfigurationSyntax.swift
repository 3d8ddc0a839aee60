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
    /// Of these, what the guest's own tools write into every entry of the next menu: an argument that is to stay goes into each.
    func permanentCommandLines(in bytes: [UInt8]) -> [SharedCommandLine]
    /// Brings collected edits into the form that the file must keep. Says what is wrong when that cannot be: the edits are
    /// given up then.
    func settle(_ draft: inout FileDraft) -> Sentence?
    /// Edits of several systems that share the file can be put together.
    static var canBeShared: Bool { get }
    /// What a BIOS starts that reads such files; nil: nothing that is known by its first sector.
    static var bootCode: BootCode? { get }
    /// Its files are for loaders of UEFI alone, and show that there is one.
    static var showsUEFILoader: Bool { get }
    /// Variables are set in it, and a name that one stands for is changed where it is set.
    static var setsVariables: Bool { get }
    /// The files that one of these reads, by the words that name them, and the syntax that each is in.
    var includedFiles: [(words: [String], syntax: any ConfigurationSyntax.Type)] { get }
    /// Files of one family are one menu: where one of them is in use, the others are.
    static var family: BootMenuFamily? { get }

    // What a syntax is besides. The protocols that are meant answer for those that conform to them, so that a new syntax writes
    // none of these: a cast would have the runtime search all conformances of the program, for every syntax that there is.

    /// It as a boot loader's menu; nil where it is none.
    static var bootMenu: (any BootMenu.Type)? { get }
    /// The same of a file.
    var bootMenu: (any BootMenu)? { get }
    /// It as a family of network configuration.
    static var network: (any NetworkSyntax.Type)? { get }
    /// A menu that only GRUB 2 reads.
    static var isGRUBMenu: Bool { get }
    /// A file as text in GRUB 2's language.
    var grub2Text: (any GRUB2Text)? { get }
    /// A file as text in GRUB legacy's language.
    var grubLegacyText: (any GRUBLegacyText)? { get }
    /// A file as variables that GRUB keeps.
    var grubEnvironment: (any GRUBEnvironmentText)? { get }
}

/// Files that a loader reads as one.
package enum BootMenuFamily: Sendable {
    /// GRUB 2's language.
    case grub2
    /// GRUB legacy's.
    case grubLegacy
    /// Entries of the Boot Loader Specification.
    case loaderEntries
}

extension ConfigurationSyntax {
    package static var isBootLoader: Bool { false }
    package static var isNeededToBoot: Bool { true }
    package static var namesAreRemarkedOn: Bool { true }
    package static var wantsPaths: Bool { false }
    package static var renamesDisks: Bool { true }
    package static var canBeShared: Bool { true }
    package static var bootCode: BootCode? { nil }
    package static var showsUEFILoader: Bool { false }
    package static var setsVariables: Bool { false }
    package static var family: BootMenuFamily? { nil }

    package static var bootMenu: (any BootMenu.Type)? { nil }
    package var bootMenu: (any BootMenu)? { nil }
    package static var network: (any NetworkSyntax.Type)? { nil }
    package static var isGRUBMenu: Bool { false }
    package var grub2Text: (any GRUB2Text)? { nil }
    package var grubLegacyText: (any GRUBLegacyText)? { nil }
    package var grubEnvironment: (any GRUBEnvironmentText)? { nil }

    package var includedFiles: [(words: [String], syntax: any ConfigurationSyntax.Type)] { [] }

    package func deviceSites(in bytes: [UInt8]) -> [DeviceSite] { [] }
    package func sharedCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] { [] }
    package func permanentCommandLines(in bytes: [UInt8]) -> [SharedCommandLine] { [] }
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
