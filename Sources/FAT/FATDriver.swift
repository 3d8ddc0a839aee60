package import Storage

/// FAT12, FAT16 and FAT32, for the engine's registry.
package enum FATDriver: FileSystemDriver {
    package static let kinds: [VolumeIdentity.Kind] = [.vfat]

    package static let errorLayers: Set<String> = [FATCode.layer]

    package static let repairTool = "fsck.vfat"

    package static let capabilities = Capabilities(
        changes: [.contents, .names, .attributes, .label], settableAttributes: .modificationTime,
        labelByteLimit: BootSector.labelByteCount, foldsCase: true)

    package static let refusesLate = true

    package static let hasCodePages = true

    package static func isBootSector(_ sector: [UInt8]) -> Bool { BootSector(sector) != nil }

    package static func identify(_ device: any BlockDevice) throws(StorageError) -> VolumeSignature? {
        try BootSector.read(device)?.signature(on: device)
    }

    package static func open(
        _ device: any BlockDevice, options: FileSystemOptions
    ) throws(StorageError) -> any FileSystem {
        var own = FATFileSystem.Options(cacheByteCount: options.cacheByteCount, now: options.now)
        if let codePage = options.codePage {
            if CodePage.upperHalves[codePage] != nil {
                own.codePage = codePage
            } else {
                own.unknownCodePage = codePage
            }
        }
        return try FATFileSystem.open(device, options: own)
    }

    package static func check(
        _ device: any BlockDevice, report: (Finding) -> Void
    ) throws(StorageError) {
        try VolumeCheck.run(device, report: report)
    }

    package static func findRemains(
        on device: any BlockDevice, report: (Finding) -> Void
    ) throws(StorageError) {
        guard let offset = try BootSector.backupOffset(on: device) else { return }
        report(
            Finding(
                .damage, FATCode.lostBootSector,
                "the boot sector is gone and a copy of it is there; run fsck.vfat, which offers to put it back",
                structure: "boot sector", offset: offset))
    }
}
