internal import Storage

/// FAT12, FAT16 and FAT32. The label is the root directory's volume entry, else the boot sector's.
enum FATProbe {
    /// How much of a root directory is searched for the label.
    private static let clusterLimit = 64

    static func matches(_ reader: ProbeReader) throws(StorageError) -> [ProbeMatch] {
        guard let sector = try reader.bytes(0, 512), let boot = FATBootSector(sector),
            !["NTFS    ", "EXFAT   ", "-FVE-FS-"].contains(where: {
                sector.span8.matches(Array($0.utf8), at: 3)
            })
        else { return [] }
        // The first entry of a FAT repeats the media byte.
        let fat = try reader.bytes(boot.fatOffset, 2)
        let agrees = fat.map { $0[0] == boot.media && $0[1] == 0xff } ?? false
        return [
            ProbeMatch(
                VolumeIdentity(
                    kind: .vfat, uuid: boot.serialText,
                    label: try rootLabel(reader, boot) ?? boot.label, version: boot.width.rawValue,
                    byteCount: boot.byteCount, blockSize: UInt32(boot.clusterByteCount)), .fileSystem,
                agrees ? .verified : .firm)
        ]
    }

    private static func rootLabel(
        _ reader: ProbeReader, _ boot: FATBootSector
    ) throws(StorageError) -> [UInt8]? {
        guard boot.width == .fat32 else {
            let count = min(Int(boot.rootEntryCount) * 32, clusterLimit * 4096)
            return try reader.bytes(boot.rootOffset, count).flatMap(label(inDirectory:))
        }
        var cluster = boot.rootCluster
        for _ in 0..<clusterLimit {
            guard cluster >= 2, cluster < 0x0fff_fff7 else { return nil }
            let offset = boot.dataOffset + UInt64(cluster - 2) * UInt64(boot.clusterByteCount)
            guard let directory = try reader.bytes(offset, boot.clusterByteCount) else { return nil }
            if let label = label(inDirectory: directory) { return label }
            if stride(from: 0, to: directory.count, by: 32).contains(where: { directory[$0] == 0 }) {
                return nil
            }
            guard let next = try reader.bytes(boot.fatOffset + UInt64(cluster) * 4, 4) else { return nil }
            cluster = next.little(0, as: UInt32.self) & 0x0fff_ffff
        }
        return nil
    }

    /// Attribute 8 alone marks the volume's name; 15 marks a piece of a long name.
    private static func label(inDirectory bytes: [UInt8]) -> [UInt8]? {
        for entry in stride(from: 0, to: bytes.count - 31, by: 32) {
            if bytes[entry] == 0 { return nil }
            guard bytes[entry] != 0xe5, bytes[entry + 11] & 0x3f != 0x0f, bytes[entry + 11] & 0x18 == 0x08
            else { continue }
            var name = bytes.label(entry..<entry + 11)
            // A first byte of 5 stands for E5, which would mean "deleted".
            if name?.first == 0x05 { name?[0] = 0xe5 }
            return name
        }
        return nil
    }
}
