internal import Storage

extension BootSector {
    /// How much of a root directory is searched for the label, in clusters.
    private static let labelClusterLimit = 64

    /// Reads the first sector of a device; nil when it is no boot sector of FAT.
    static func read(_ device: any BlockDevice) throws(StorageError) -> BootSector? {
        guard device.byteCount >= UInt64(byteCount) else { return nil }
        return BootSector(try device.bytes(at: 0, count: byteCount))
    }

    /// What it says of the volume. The label is the root directory's volume entry, else the boot sector's, as blkid
    /// has it.
    func signature(on device: any BlockDevice) throws(StorageError) -> VolumeSignature {
        let geometry = Geometry(self)
        // The first entry of a table repeats the media byte.
        let table = try Self.bytes(device, geometry.tableOffset, 2)
        let agrees = table.map { $0[0] == media && $0[1] == 0xff } ?? false
        return VolumeSignature(
            VolumeIdentity(
                kind: .vfat, uuid: serialText, label: try rootLabel(on: device, geometry) ?? label,
                version: width.rawValue, byteCount: byteCount, blockSize: UInt32(geometry.clusterSize)),
            agrees ? .verified : .firm)
    }

    private func rootLabel(
        on device: any BlockDevice, _ geometry: Geometry
    ) throws(StorageError) -> [UInt8]? {
        guard width == .fat32 else {
            return try Self.bytes(device, geometry.rootOffset, geometry.rootByteCount).flatMap(
                Self.label(inDirectory:))
        }
        var cluster = geometry.rootCluster
        for _ in 0..<Self.labelClusterLimit {
            guard geometry.contains(cluster),
                let directory = try Self.bytes(
                    device, geometry.byteOffset(of: cluster), geometry.clusterSize)
            else { return nil }
            if let label = Self.label(inDirectory: directory) { return label }
            if stride(from: 0, to: directory.count, by: 32).contains(where: { directory[$0] == 0 }) {
                return nil
            }
            let place = geometry.tableOffset + UInt64(cluster.rawValue) * 4
            guard let next = try Self.bytes(device, place, 4) else { return nil }
            cluster = ClusterNumber(next.little(0, as: UInt32.self) & 0x0fff_ffff)
        }
        return nil
    }

    /// Attribute 8 alone marks the volume's name; 15 marks a piece of a long name.
    private static func label(inDirectory bytes: [UInt8]) -> [UInt8]? {
        for offset in stride(from: 0, to: bytes.count - 31, by: DirectorySlot.byteCount) {
            let slot = DirectorySlot(Array(bytes[offset..<offset + DirectorySlot.byteCount]))
            if slot.isEnd { return nil }
            guard slot.isLabel else { continue }
            return label(slot.name[...])
        }
        return nil
    }

    /// All of `count` bytes, nil where the device is too short.
    fileprivate static func bytes(
        _ device: any BlockDevice, _ offset: UInt64, _ count: Int
    ) throws(StorageError) -> [UInt8]? {
        guard offset <= device.byteCount, UInt64(count) <= device.byteCount - offset else { return nil }
        return try device.bytes(at: offset, count: count)
    }
}

extension BootSector {
    /// Where a device has a copy of a boot sector that is gone: FAT32's lies in sector 6, as every formatter has it.
    static func backupOffset(on device: any BlockDevice) throws(StorageError) -> UInt64? {
        for sectorSize: UInt64 in [512, 1024, 2048, 4096] {
            let offset = sectorSize * 6
            guard let bytes = try Self.bytes(device, offset, byteCount), let copy = BootSector(bytes),
                Geometry(copy).backupOffset == offset
            else { continue }
            return offset
        }
        return nil
    }
}
