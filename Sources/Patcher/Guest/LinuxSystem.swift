package import GuestTree
package import Storage

/// A Linux system found on the disks: its root, its tree, and what its files name.
package struct LinuxSystem: Sendable {
    /// What is known of it whatever its files say.
    package let frame: GuestFrame
    /// Its tree.
    package let tree: any GuestTree
    /// Where each volume is mounted, the root first.
    package let mounts: [Mount]
    /// What can be changed on each volume whose files can be read.
    package let capabilities: [Int: Capabilities]
    /// The configuration files that name devices or decide the boot, each once, however many names it has.
    package let files: [ScannedFile]
    /// Kernels, tools and the like.
    package let inspection: Inspection
    /// Which of the files that its menus load are there.
    let bootFiles: BootFiles
    /// Files of a boot's configuration that cannot be read.
    let unreadable: [UnreadableFile]
    /// What a user should know about how it was found.
    package let notes: [String]
    /// Finds what device names stand for.
    package let resolver: DeviceResolver
    /// What can start it.
    package private(set) var firmware = BootFirmware(isBIOSKnown: false, uefi: .nothing)
    /// Something shows that UEFI has booted it.
    private(set) var hasUEFILoader = false
    /// Which of its menus are read.
    private(set) var menuUse = MenuUse()
    /// The entries that boot by themselves as the guest was found, one for each loader.
    package private(set) var defaultEntries: [MenuEntry] = []
    private var defaultKeys: Set<EntryKey> = []
    /// What reads the menu; nil where that is not certain.
    package private(set) var menuReader: MenuReader?
    /// The menus of syslinux, as far as it reads them.
    private(set) var syslinuxMenus: [SyslinuxMenu] = []
    private let table: ReferenceTable
    /// Files of each syntax, as places in `files`.
    let filePlaces: [ObjectIdentifier: [Int]]
    /// All kernel entries of all loaders, with the file that holds each.
    package let bootEntries: [MenuEntry]
    /// The version of the first entry whose kernel tells one.
    let firstKernelVersion: [Int]?
    /// Every Linux kernel (not a memory test) is booted with an initramfs.
    let everyEntryHasInitrd: Bool
    /// Volumes whose contents are made anew at every start.
    private(set) var overwrittenVolumes: Set<Int> = []

    init(
        frame: GuestFrame, tree: any GuestTree, mounts: [Mount], capabilities: [Int: Capabilities],
        files: [ScannedFile],
        inspection: Inspection, bootFiles: BootFiles, unreadable: [UnreadableFile], notes: [String]
    ) throws(StorageError) {
        self.frame = frame
        self.tree = tree
        self.mounts = mounts
        self.capabilities = capabilities
        let files = try GRUBLinks.linked(files)
        self.files = files
        self.inspection = inspection
        self.bootFiles = bootFiles
        self.unreadable = unreadable
        self.notes = notes
        let fstab = files.lazy.compactMap { $0.syntax as? Fstab }.first ?? Fstab([])
        resolver = frame.resolver(fstab, files)
        try Cancellation.check()
        table = try ReferenceTable(files, resolver)
        filePlaces = Dictionary(grouping: files.indices) { ObjectIdentifier(type(of: files[$0].syntax)) }
        bootEntries = files.flatMap { file in file.bootEntries.map { MenuEntry(file: file, entry: $0) } }
        firstKernelVersion = bootEntries.lazy.compactMap { $0.entry.kernelVersion }.first
        everyEntryHasInitrd = bootEntries.allSatisfy {
            !$0.entry.commandLine.has("root") || !$0.entry.initrds.isEmpty
        }
        overwrittenVolumes = findOverwrittenVolumes()
        // Each is built on those before it, and asked for every entry.
        hasUEFILoader = findsUEFILoader()
        firmware = findFirmware()
        syslinuxMenus = findSyslinuxMenus()
        menuReader = findMenuReader()
        try Cancellation.check()
        menuUse = MenuUse(of: self)
        try Cancellation.check()
        defaultEntries = try findDefaultEntries()
        defaultKeys = Set(defaultEntries.map(\.key))
    }

    /// The guest with other entries that boot by themselves.
    func starting(_ entries: [MenuEntry]) -> LinuxSystem {
        var guest = self
        guest.setDefaults(entries)
        return guest
    }

    private mutating func setDefaults(_ entries: [MenuEntry]) {
        defaultEntries = entries
        defaultKeys = Set(entries.map(\.key))
    }

    /// Whether a loader boots this entry by itself in the guest as it was found.
    package func isDefault(_ entry: MenuEntry) -> Bool { defaultKeys.contains(entry.key) }

    /// Every device name in its files, resolved.
    package var references: [Reference] { table.all }
    /// The device name that begins at a byte of a file.
    func reference(in file: ScannedFile, at offset: Int) -> Reference? { table[file.file.key, offset] }
    /// The device name that begins at a byte of a file.
    func reference(in file: FileKey, at offset: Int) -> Reference? { table[file, offset] }

    /// A volume in the guest's tree.
    package struct Mount: Sendable, Equatable {
        /// The mount point.
        package var path: String
        /// Index of the volume.
        package var volume: Int
        /// Its file system can be read.
        package var isReadable: Bool
    }

    /// Index of the root's volume.
    package var rootVolume: Int { frame.rootVolume }
    /// What it is; nil when no release file says.
    package var release: OSRelease? { frame.release }
    /// The guest's volumes.
    package var volumes: [Volume] { frame.volumes }
    /// The name for people.
    package var title: String { release?.title ?? "an unnamed Linux" }
}
