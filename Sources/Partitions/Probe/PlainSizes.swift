internal import Storage

/// How long a device the superblock of a file system asks for that is only named.
enum PlainSizes {
    /// Sets the size, where it is a number that a device can have; never false.
    static func complete(_ identity: inout VolumeIdentity, _ reader: ProbeReader) throws(StorageError) -> Bool
    {
        identity.byteCount =
            switch identity.kind.rawValue {
            case "cramfs": try reader.bytes(4, 4).map { UInt64($0.little(0, as: UInt32.self)) }
            case "erofs": try erofs(reader)
            case "jfs": try jfs(reader)
            case "reiserfs": try reiserfs(reader)
            case "apfs": try apfs(reader)
            case "ReFS": try refs(reader)
            default: nil
            }
        return true
    }

    /// struct erofs_super_block: the logarithm of a block's size, and how many.
    private static func erofs(_ reader: ProbeReader) throws(StorageError) -> UInt64? {
        guard let block = try reader.bytes(1024, 64), (9...16).contains(block[12]) else { return nil }
        return UInt64(block.little(36, as: UInt32.self)) << UInt64(block[12])
    }

    /// struct jfs_superblock: the aggregate in blocks of the disk, and behind it, in blocks of its own, the log and the room of fsck.
    private static func jfs(_ reader: ProbeReader) throws(StorageError) -> UInt64? {
        guard let block = try reader.bytes(32768, 88) else { return nil }
        let blockSize = UInt64(block.little(16, as: UInt32.self))
        let diskBlock = UInt64(block.little(24, as: UInt32.self))
        guard blockSize.nonzeroBitCount == 1, diskBlock.nonzeroBitCount == 1 else { return nil }
        var ends = [block.little(8, as: UInt64.self) *? diskBlock]
        for place in [72, 80] {
            // pxd_t: 24 bits of a length, 40 of an address.
            let word: UInt32 = block.little(place)
            let address = UInt64(word >> 24) << 32 | UInt64(block.little(place + 4, as: UInt32.self))
            ends.append((address + UInt64(word & 0xff_ffff)) *? blockSize)
        }
        return ends.compactMap(\.self).max()
    }

    /// struct reiserfs_super_block_v1: blocks, and the size of one.
    private static func reiserfs(_ reader: ProbeReader) throws(StorageError) -> UInt64? {
        guard let block = try reader.bytes(65536, 64) else { return nil }
        let size: UInt16 = block.little(44)
        guard size.nonzeroBitCount == 1, size >= 512 else { return nil }
        return UInt64(block.little(0, as: UInt32.self)) * UInt64(size)
    }

    /// nx_superblock_t: the size of a block, and how many.
    private static func apfs(_ reader: ProbeReader) throws(StorageError) -> UInt64? {
        guard let block = try reader.bytes(0, 64) else { return nil }
        return block.little(40, as: UInt64.self) *? UInt64(block.little(36, as: UInt32.self))
    }

    /// The boot sector as libfsrefs describes it: sectors, and the bytes of one.
    private static func refs(_ reader: ProbeReader) throws(StorageError) -> UInt64? {
        guard let block = try reader.bytes(0, 64) else { return nil }
        let size: UInt32 = block.little(32)
        guard size.nonzeroBitCount == 1, (256...4096).contains(size) else { return nil }
        return block.little(24, as: UInt64.self) *? UInt64(size)
    }

    /// struct minix_super_block, and minix3_super_block: two bytes are little, so the maps must have room for what they count.
    static func minix(_ reader: ProbeReader) throws(StorageError) -> VolumeIdentity? {
        guard let block = try reader.bytes(1024, 64) else { return nil }
        func word(_ place: Int) -> UInt64 { UInt64(block.little(place, as: UInt16.self)) }
        func long(_ place: Int) -> UInt64 { UInt64(block.little(place, as: UInt32.self)) }
        let version: Int
        switch (word(16), word(24)) {
        case (0x137f, _), (0x138f, _): version = 1
        case (0x2468, _), (0x2478, _): version = 2
        case (_, 0x4d5a): version = 3
        default: return nil
        }
        let place = version == 3 ? 6 : 4
        let inodes = version == 3 ? long(0) : word(0)
        let zones = version == 1 ? word(2) : long(20)
        let size: UInt64 = version == 3 ? word(28) : 1024
        let (inodeMap, zoneMap, first) = (word(place), word(place + 2), word(place + 4))
        guard size.nonzeroBitCount == 1, size >= 1024, word(place + 6) == 0, inodes > 0, zones > first,
            first > 0,
            inodeMap * size * 8 > inodes, zoneMap * size * 8 > zones - first
        else { return nil }
        return VolumeIdentity(
            kind: .init(rawValue: "minix"), version: String(version), byteCount: zones * size,
            blockSize: UInt32(size))
    }
}
