internal import Storage

/// NTFS: the boot sector, and the volume name in MFT record 3.
enum NTFSProbe {
    static func matches(_ reader: ProbeReader) throws(StorageError) -> [ProbeMatch] {
        guard let boot = try reader.bytes(0, 512), boot.span8.matches(Array("NTFS    ".utf8), at: 3) else {
            return []
        }
        let sectorSize = UInt64(boot.little(11, as: UInt16.self))
        guard sectorSize.nonzeroBitCount == 1, (256...4096).contains(sectorSize),
            let clusterSectors = Self.clusterSectors(boot[13])
        else { return [] }
        let clusterSize = sectorSize * clusterSectors
        let serial: UInt64 = boot.little(72)
        let digits = String(serial, radix: 16, uppercase: true)
        let identity = VolumeIdentity(
            kind: .ntfs, uuid: serial == 0 ? nil : String(repeating: "0", count: 16 - digits.count) + digits,
            label: try label(reader, boot, clusterSize: clusterSize),
            byteCount: boot.little(40, as: UInt64.self) *? sectorSize,
            blockSize: UInt32(exactly: clusterSize))
        return [ProbeMatch(identity, .fileSystem)]
    }

    /// Up to 128 as such; above, two to the power of what is missing to 256.
    private static func clusterSectors(_ byte: UInt8) -> UInt64? {
        if byte > 0, byte <= 128, byte.nonzeroBitCount == 1 { return UInt64(byte) }
        return byte >= 240 ? 1 << (256 - UInt64(byte)) : nil
    }

    private static func label(
        _ reader: ProbeReader, _ boot: [UInt8], clusterSize: UInt64
    ) throws(StorageError) -> [UInt8]? {
        let coded = Int8(bitPattern: boot[64])
        let recordSize = coded > 0 ? UInt64(coded) * clusterSize : coded >= -16 ? 1 << UInt64(-Int(coded)) : 0
        guard (256...65536).contains(recordSize),
            let start = boot.little(48, as: UInt64.self) *? clusterSize, let place = start +? recordSize * 3,
            let record = try reader.bytes(place, Int(recordSize)),
            record.span8.matches(Array("FILE".utf8))
        else { return nil }
        var offset = Int(record.little(20, as: UInt16.self))
        while offset + 24 <= record.count {
            let type: UInt32 = record.little(offset)
            let length = Int(record.little(offset + 4, as: UInt32.self))
            guard type != 0xffff_ffff, length >= 24, length <= record.count - offset else { return nil }
            if type == 0x60 {  // $VOLUME_NAME, always resident
                let count = Int(record.little(offset + 16, as: UInt32.self))
                let start = offset + Int(record.little(offset + 20, as: UInt16.self))
                guard count <= record.count, start <= record.count - count else { return nil }
                return record.utf16Label(start..<start + count)
            }
            offset += length
        }
        return nil
    }
}
