internal import Storage

/// Btrfs: the first superblock, at 64 KiB (struct btrfs_super_block).
enum BtrfsProbe {
    private static let offset: UInt64 = 65536

    static func matches(_ reader: ProbeReader) throws(StorageError) -> [ProbeMatch] {
        guard try reader.has(Array("_BHRfS_M".utf8), at: offset + 64),
            let block = try reader.bytes(offset, 4096), block.little(48, as: UInt64.self) == offset
        else { return [] }
        var strength = ProbeMatch.Strength.firm
        if block.little(196, as: UInt16.self) == 0 {
            // Checksum type 0 is CRC-32C over everything behind the 32 bytes of checksum.
            strength =
                CRC32C.checksum(block.span8.extracting(32..<4096)) == block.little(0) ? .verified : .weak
        }
        let total: UInt64 = block.little(112)
        let used: UInt64 = block.little(120)
        var identity = VolumeIdentity(
            kind: .btrfs, uuid: block.uuidText(32), label: block.label(299..<555), byteCount: total,
            freeByteCount: total -? used, blockSize: block.little(144))
        // num_devices, and the device's own struct btrfs_dev_item at 0xc9 with its uuid.
        identity.member = block.uuidText(0xc9 + 66).map { .init(uuid: $0, count: block.little(136)) }
        return [ProbeMatch(identity, .fileSystem, strength)]
    }
}
