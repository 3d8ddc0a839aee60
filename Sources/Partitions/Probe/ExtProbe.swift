internal import Storage

/// ext2, ext3, ext4 and external journals, told apart by blkid's rule over the feature words.
enum ExtProbe {
    private static let hasJournal: UInt32 = 0x4
    private static let journalDevice: UInt32 = 0x8
    private static let wideBlocks: UInt32 = 0x80
    private static let metadataChecksum: UInt32 = 0x400
    /// What an ext2 or ext3 driver knows: sparse_super, large_file, btree_dir.
    private static let oldReadOnly: UInt32 = 0x7
    /// filetype and meta_bg; ext3 adds recover.
    private static let ext2Incompatible: UInt32 = 0x12
    private static let ext3Incompatible: UInt32 = 0x16

    static func matches(_ reader: ProbeReader) throws(StorageError) -> [ProbeMatch] {
        guard let block = try reader.bytes(1024, 1024), block.little(56, as: UInt16.self) == 0xef53 else {
            return []
        }
        let compatible: UInt32 = block.little(92)
        let incompatible: UInt32 = block.little(96)
        let readOnly: UInt32 = block.little(100)
        let logBlockSize: UInt32 = block.little(24)
        guard logBlockSize <= 6 else { return [] }

        var strength = ProbeMatch.Strength.firm
        if readOnly & metadataChecksum != 0 {
            let checksum = CRC32C.update(~0, block.span8.extracting(0..<1020))
            // A damaged superblock is still that of an ext file system; e2fsck is the one to say more.
            strength = checksum == block.little(1020) ? .verified : .weak
        }
        let blockSize = UInt32(1024) << logBlockSize
        let isWide = incompatible & wideBlocks != 0
        var blocks = UInt64(block.little(4, as: UInt32.self))
        var free = UInt64(block.little(12, as: UInt32.self))
        if isWide {
            blocks |= UInt64(block.little(336, as: UInt32.self)) << 32
            free |= UInt64(block.little(344, as: UInt32.self)) << 32
        }
        let identity = VolumeIdentity(
            kind: kind(compatible, incompatible, readOnly), uuid: block.uuidText(104),
            label: block.label(120..<136),
            version: "\(block.little(76, as: UInt32.self)).\(block.little(62, as: UInt16.self))",
            byteCount: blocks *? UInt64(blockSize), freeByteCount: free *? UInt64(blockSize),
            blockSize: blockSize)
        return [ProbeMatch(identity, incompatible & journalDevice != 0 ? .other : .fileSystem, strength)]
    }

    private static func kind(
        _ compatible: UInt32, _ incompatible: UInt32, _ readOnly: UInt32
    ) -> VolumeIdentity.Kind {
        if incompatible & journalDevice != 0 { return VolumeIdentity.Kind(rawValue: "jbd") }
        if compatible & hasJournal == 0, readOnly & ~oldReadOnly == 0, incompatible & ~ext2Incompatible == 0 {
            return .ext2
        }
        if compatible & hasJournal != 0, readOnly & ~oldReadOnly == 0, incompatible & ~ext3Incompatible == 0 {
            return .ext3
        }
        return .ext4
    }
}
