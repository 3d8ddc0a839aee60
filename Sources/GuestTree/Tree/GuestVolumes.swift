package import Storage

/// The volumes of a guest's disks, as reading and changing its files needs them; a volume is named by its index.
package protocol GuestVolumes: Sendable {
    /// All of them.
    var volumes: [Volume] { get }
    /// The file system on a volume. Throws `unsupported` for contents that cannot be read as files.
    func fileSystem(on index: Int) throws(StorageError) -> any FileSystem
    /// The volume of that name, or `misuse` naming those there are.
    func volumeIndex(named name: String) throws(StorageError) -> Int
    /// The image that a volume lies on, the first when it lies on several.
    func path(ofVolume index: Int) -> String
    /// The image that errors of the tree as a whole name.
    var mainPath: String? { get }
    /// What is odd in the file systems that were opened so far, each with its volume's name.
    var fileSystemWarnings: [String] { get }
    /// What checks a volume's file system in a running system, for advice.
    func repairTool(ofVolume index: Int) -> String
    /// Whether an error comes out of a file system, which knows keys and no paths.
    func isFileSystemError(_ error: StorageError) -> Bool
}
