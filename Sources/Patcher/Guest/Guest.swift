package import GuestTree
package import Storage

/// A Linux system found on the disks: its root, its tree, and what its files name.
package struct Guest: Sendable {
    /// Index of the root's volume.
    package var rootVolume: Int
    /// What it is; nil when no release file says.
    package var release: OSRelease?
    /// Its tree.
    package var tree: any GuestTree
    /// Where each volume is mounted, the root first.
    package var mounts: [Mount]
    /// What can be changed on each volume whose files can be read.
    package let capabilities: [Int: Capabilities]
    /// Finds what device names stand for.
    package let resolver: DeviceResolver
    /// The configuration files that name devices or decide the boot, each once, however many names it has.
    package let files: [ScannedFile]
    /// Kernels, tools and the like.
    package var inspection: Inspection
    /// What a user should know about how it was found.
    package var notes: [String]
    /// The entries that boot by themselves as the guest was found, one for each loader.
    package private(set) var defaultEntries: [MenuEntry] = []
    private let table: ReferenceTable

    init(
        rootVolume: Int, release: OSRelease?, tree: any GuestTree, mounts: [Mount],
        capabilities: [Int: Capabilities], resolver: DeviceResolver, files: [ScannedFile],
        inspection: Inspection, notes: [String]
    ) {
        self.rootVolume = rootVolume
        self.release = release
        self.tree = tree
        self.mounts = mounts
        self.capabilities = capabilities
        self.resolver = resolver
        self.files = files
        self.inspection = inspection
        self.notes = notes
        table = ReferenceTable(files, resolver)
        defaultEntries = findDefaultEntries()
    }

    /// Every device name in its files, resolved.
    package var references: [Reference] { table.all }
    /// The device name that begins at a byte of a file.
    func reference(in file: ScannedFile, at offset: Int) -> Reference? { table[file.file.key, offset] }

    /// A volume in the guest's tree.
    package struct Mount: Sendable, Equatable {
        /// The mount point.
        package var path: String
        /// Index of the volume.
        package var volume: Int
        /// Its file system can be read.
        package var isReadable: Bool
    }

    /// The guest's volumes.
    package var volumes: [Volume] { resolver.volumes }
    /// The name for people.
    package var title: String { release?.title ?? "an unnamed Linux" }
}
