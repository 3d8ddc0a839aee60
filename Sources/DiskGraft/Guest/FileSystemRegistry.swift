internal import Ext4
internal import FAT
internal import Partitions
package import Storage
internal import XFS

/// The kinds of file systems that a guest's volumes are opened as.
package struct FileSystemRegistry: Sendable {
    /// Every driver that there is: a new one is a target and a line here.
    package static let builtIn = FileSystemRegistry([Ext4Driver.self, FATDriver.self, XFSDriver.self])

    package let drivers: [any FileSystemDriver.Type]

    /// A registry of these drivers.
    package init(_ drivers: [any FileSystemDriver.Type]) { self.drivers = drivers }

    /// What recognises volumes: the drivers, and signatures of what has none.
    var probe: VolumeProbe { VolumeProbe(drivers) }

    /// The driver that opens volumes of a kind; nil: their files cannot be read.
    func driver(for kind: VolumeIdentity.Kind) -> (any FileSystemDriver.Type)? {
        drivers.first { $0.kinds.contains(kind) }
    }

    /// Opens a device in memory that an old initramfs was decoded to; nil for kinds that have no driver.
    var openOldRoot: @Sendable (_ device: any BlockDevice) throws(StorageError) -> (any FileSystem)? {
        { [self] (device) throws(StorageError) in
            for driver in drivers where try driver.identify(device) != nil {
                return try driver.open(device, options: FileSystemOptions())
            }
            return nil
        }
    }

    /// Whether an error comes out of a file system, which knows keys and no paths.
    func isFileSystemError(_ error: StorageError) -> Bool {
        drivers.contains { $0.errorLayers.contains(error.layer) }
    }
}
