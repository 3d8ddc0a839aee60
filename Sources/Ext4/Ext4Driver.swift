package import Storage

/// ext2, ext3 and ext4, for the engine's registry.
package enum Ext4Driver: FileSystemDriver {
    package static let kinds: [VolumeIdentity.Kind] = [.ext2, .ext3, .ext4]

    package static let errorLayers: Set<String> = ["ext2", "ext3", "ext4", "journal"]

    package static let repairTool = "e2fsck"

    package static let capabilities = Capabilities(
        changes: .all, settableAttributes: [.permissions, .owner, .accessTime, .modificationTime],
        labelByteLimit: Superblock.labelByteCount)

    package static func identify(_ device: any BlockDevice) throws(StorageError) -> VolumeSignature? {
        try Superblock.read(from: device)?.signature
    }

    package static func open(
        _ device: any BlockDevice, options: FileSystemOptions
    ) throws(StorageError) -> any FileSystem {
        try Ext4FileSystem.open(device, options: options)
    }

    package static func check(
        _ device: any BlockDevice, report: (Finding) -> Void
    ) throws(StorageError) {
        for finding in try Ext4FileSystem.check(device).findings { report(finding) }
    }

    package static func findRemains(
        on device: any BlockDevice, report: (Finding) -> Void
    ) throws(StorageError) {
        guard let offset = try Ext4FileSystem.backupSuperblock(on: device) else { return }
        report(
            Finding(
                .damage, CheckCode.lostSuperblock,
                "the superblock is gone and a copy of it is there; run e2fsck -b", structure: "superblock",
                offset: offset))
    }
}
