package import Storage

extension Ext4FileSystem {
    /// The byte at which a copy of the superblock lies on a device whose primary is gone, or nil: the places that
    /// mke2fs uses for its first two copies with blocks of 1, 2 and 4 KiB (8 blocks a group for each byte of a
    /// block). The copy has to say that it is that group's, or with old mke2fs nothing. Reads six kilobytes.
    package static func backupSuperblock(on device: any BlockDevice) throws(StorageError) -> UInt64? {
        for logBlockSize: UInt64 in 0...2 {
            let blockSize = UInt64(1024) << logBlockSize
            for group: UInt64 in [1, 3] {
                let block = group * blockSize * 8 + (logBlockSize == 0 ? 1 : 0)
                let offset = block * blockSize
                guard offset + 1024 <= device.byteCount else { continue }
                let bytes = try device.bytes(at: offset, count: Superblock.byteCount)
                guard bytes.little(Superblock.Offset.magic) as UInt16 == 0xef53,
                    bytes.little(0x18) as UInt32 == UInt32(logBlockSize),
                    [0, group].contains(UInt64(bytes.little(0x5a) as UInt16)),
                    bytes.little(0x14) as UInt32 == (logBlockSize == 0 ? 1 : 0),
                    UInt64(bytes.little(0x04) as UInt32) > block || bytes.little(0x150) as UInt32 > 0
                else { continue }
                return offset
            }
        }
        return nil
    }
}
