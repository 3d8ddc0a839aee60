internal import GuestTree
package import Storage

/// What reading and changing files needs of a guest.
extension Guest: GuestVolumes {
    /// The first image.
    package var mainPath: String? { images.first?.path }

    /// The image that a volume lies on, the first when it lies on several.
    package func path(ofVolume index: Int) -> String {
        switch volumes[index].location {
        case .wholeDisk(let disk), .partition(let disk, _): images[disk].path
        case .logicalVolume, .array: images.first?.path ?? ""
        }
    }

    /// Whether an error comes out of a file system, which knows keys and no paths.
    package func isFileSystemError(_ error: StorageError) -> Bool { registry.isFileSystemError(error) }

    /// What checks a volume's file system in a running system, for advice: "e2fsck".
    package func repairTool(ofVolume index: Int) -> String {
        registry.driver(for: volumes[index].identity.kind)?.repairTool ?? "its file-system check"
    }
}
