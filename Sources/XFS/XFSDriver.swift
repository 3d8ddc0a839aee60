package import Storage

/// XFS, for the engine's registry.
package enum XFSDriver: FileSystemDriver {
    package static let kinds: [VolumeIdentity.Kind] = [.xfs]

    package static let errorLayers: Set<String> = ["xfs"]

    package static let repairTool = "xfs_repair"

    package static let capabilities = Capabilities(
        changes: .all,
        settableAttributes: [.permissions, .owner, .accessTime, .modificationTime],
        labelByteLimit: Superblock.labelByteCount)

    package static let refusesLate = true

    package static func identify(_ device: any BlockDevice) throws(StorageError) -> VolumeSignature? {
        if let superblock = try Superblock.read(from: device) { return superblock.signature }
        return try ExternalLog.signature(on: device)
    }

    package static func open(
        _ device: any BlockDevice, options: FileSystemOptions
    ) throws(StorageError) -> any FileSystem {
        try XFSFileSystem.open(device, options: options)
    }

    package static func check(
        _ device: any BlockDevice, report: (Finding) -> Void
    ) throws(StorageError) {
        for finding in try XFSFileSystem.check(device) { report(finding) }
    }
}
