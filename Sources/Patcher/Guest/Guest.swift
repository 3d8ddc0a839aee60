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
    /// Finds what device names stand for.
    package var resolver: DeviceResolver
    /// The configuration files that name devices or decide the boot, each once, however many names it has.
    package var files: [ScannedFile]
    /// Kernels, tools and the like.
    package var inspection: Inspection
    /// What a user should know about how it was found.
    package var notes: [String]

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
    /// All kernel entries of all loaders, with the file that holds each.
    package var bootEntries: [(file: ScannedFile, entry: BootEntry)] {
        files.flatMap { file in file.syntax.bootEntries.map { (file, $0) } }
    }
    /// Files of one kind.
    func files(_ kind: ConfigurationKind) -> [ScannedFile] { files.filter { $0.kind == kind } }
}

/// Everything found on the disks.
package struct Survey: Sendable {
    /// Linux systems, in the order of their volumes.
    package var guests: [Guest]
    /// What stands in the way: other systems, volumes that cannot be read.
    package var findings: [String]
    /// A Windows system was recognised.
    package var hasWindows: Bool
}
