internal import Storage

extension VolumeView {
    /// The largest orphan file that mke2fs makes, in bytes.
    private static var maximumOrphanFileSize: UInt64 { 8 << 20 }

    /// Whether the orphan file is there, whole, and lists no inode.
    func orphanFileIsEmpty() throws(StorageError) -> Bool { try orphansInFile()?.isEmpty ?? false }

    /// The inodes that the orphan file lists; nil where it is missing or not whole. (Linux documentation,
    /// filesystems/ext4/orphan: 32-bit inode numbers, and in each block's last eight bytes a magic number and a
    /// checksum.)
    func orphansInFile() throws(StorageError) -> [UInt32]? {
        let number = InodeNumber(superblock.word(Superblock.Offset.orphanFile))
        guard geometry.compatible.contains(.orphanFile), number.rawValue != 0 else { return nil }
        let inode = try inode(number)
        let size = inode.size(geometry)
        guard inode.type == .regular, size > 0, size <= Self.maximumOrphanFileSize else { return nil }
        let tail = geometry.blockSize - 8
        var listed: [UInt32] = []
        var logical: UInt64 = 0
        while logical < size / UInt64(geometry.blockSize) {
            guard case .written(let block) = try run(of: inode, at: logical).place else { return nil }
            let bytes = try self.block(block)
            guard bytes.little(tail, as: UInt32.self) == 0x0b10_ca04 else { return nil }
            if geometry.hasMetadataChecksums {
                // Over the inode's seed, the block's number on the device and the numbers in it.
                var place = [UInt8](repeating: 0, count: 8)
                place.storeLittle(block.rawValue, at: 0)
                let seed = geometry.inodeSeed(number, generation: inode.generation)
                let sum = CRC32C.update(
                    CRC32C.update(seed, place.span8), bytes.span8.extracting(0..<tail))
                guard sum == bytes.little(tail + 4) else { return nil }
            }
            for offset in stride(from: 0, to: tail, by: 4) {
                let orphan: UInt32 = bytes.little(offset)
                if orphan != 0 { listed.append(orphan) }
            }
            logical += 1
        }
        return listed
    }
}
