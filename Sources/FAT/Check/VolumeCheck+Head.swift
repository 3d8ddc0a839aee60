internal import Storage

extension VolumeCheck {
    /// Boot sector, its copy, flags, FSInfo's signatures, and whether the tables agree.
    mutating func checkHead() throws(StorageError) {
        let device = fileSystem.device
        let boot = fileSystem.boot
        if geometry.byteCount > device.byteCount {
            add(
                .damage, .truncatedDevice,
                "the file system has \(geometry.byteCount) bytes and its device \(device.byteCount); the image may be "
                    + "truncated", structure: "boot sector", offset: 0)
        }
        if geometry.roomForClusters > UInt64(geometry.clusterCount) {
            add(
                .warning, .badGeometry,
                "there is room for \(geometry.roomForClusters) clusters, and the tables have entries for "
                    + "\(geometry.clusterCount)", structure: "boot sector", offset: 0)
        }
        try checkFlags(boot)
        if let offset = geometry.backupOffset {
            let copy = try fileSystem.metadata(at: offset, count: BootSector.byteCount)
            // The state of a volume is kept in the first one alone.
            func withoutState(_ bytes: [UInt8]) -> [UInt8] {
                var bytes = bytes
                bytes[boot.stateOffset] &= ~3
                return bytes
            }
            if withoutState(copy) != withoutState(boot.bytes) {
                add(
                    .warning, .backupDiffers, "the copy of the boot sector differs from it",
                    structure: "backup boot sector", offset: offset)
            }
        }
        if let offset = geometry.informationOffset, try fileSystem.informationSector() == nil {
            add(
                .warning, .badInformationSector, "the sector that counts free clusters has no signature",
                structure: "FSInfo", offset: offset)
        }
        if geometry.activeTable != 0 {
            // Linux has no notion of the flag (fs/fat/fatent.c), nor has fsck.vfat; what was written here would be lost to them.
            add(
                .warning, .secondTableLive,
                "its flags say that allocation table \(geometry.activeTable) alone is live, counted from 0; it is read here, "
                    + "and Linux and fsck.vfat read table 0. Copy the files to a volume that is made anew",
                structure: "boot sector", offset: UInt64(BootSector.Offset.tableFlags), blocks: true)
        }
        if let offset = try fileSystem.firstDifferenceOfTables() {
            add(
                .warning, .tablesDiffer,
                "the copies of the allocation table differ; the first one is read. Run fsck.vfat",
                structure: "FAT",
                offset: offset, blocks: true)
        }
    }

    private mutating func checkFlags(_ boot: BootSector) throws(StorageError) {
        let first = try fileSystem.tableValue(of: 0)
        let second = try fileSystem.tableValue(of: 1)
        let place = geometry.tablePlace(of: 0, in: geometry.activeTable).offset
        if UInt8(truncatingIfNeeded: first) != boot.media {
            add(
                .warning, .badFirstEntries,
                "the allocation table begins with \(UInt8(truncatingIfNeeded: first).hex), and the boot sector calls the "
                    + "medium \(boot.media.hex)", structure: "FAT", offset: place)
        }
        let flags: (clean: UInt32, sound: UInt32) =
            switch geometry.width {
            case .fat12: (0, 0)
            case .fat16: (0x8000, 0x4000)
            case .fat32: (0x0800_0000, 0x0400_0000)
            }
        if boot.isDirty || second & flags.clean != flags.clean {
            add(
                .warning, .dirty,
                "the volume was not unmounted; start and shut down the guest, or run fsck.vfat",
                structure: boot.isDirty ? "boot sector" : "FAT",
                offset: boot.isDirty ? UInt64(boot.stateOffset) : place, blocks: true)
        }
        if boot.hasHardError || second & flags.sound != flags.sound {
            add(
                .warning, .hardError,
                "an error of the medium was met once; let fsck.vfat look for bad clusters",
                structure: boot.hasHardError ? "boot sector" : "FAT",
                offset: boot.hasHardError ? UInt64(boot.stateOffset) : place)
        }
    }
}
