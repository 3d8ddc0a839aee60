internal import Storage

extension VolumeView {
    /// The largest orphan file that mke2fs makes, in bytes.
    private static var maximumOrphanFileSize: UInt64 { 8 << 20 }

    /// Whether the orphan file is there, whole, and lists no inode. (Linux documentation, filesystems/ext4/orphan:
    /// 32-bit inode numbers, and in each block's last eight bytes a magic number and a checksum.)
    func orphanFileIsEmpty() throws(StorageError) -> Bool {
        let number = InodeNumber(superblock.word(Superblock.Offset.orphanFile))
        guard geometry.compatible.contains(.orphanFile), number.rawValue != 0 else { return false }
        let inode = try inode(number)
        let size = inode.size(geometry)
        guard inode.type == .regular, size > 0, size <= Self.maximumOrphanFileSize else { return false }
        let tail = geometry.blockSize - 8
        var logical: UInt64 = 0
        while logical < size / UInt64(geometry.blockSize) {
            guard case .written(let block) = try run(of: inode, at: logical).place else { return false }
            let bytes = try self.block(block)
            let isEmpty = bytes.span8.extracting(0..<tail).isAllZero
            guard isEmpty, bytes.little(tail, as: UInt32.self) == 0x0b10_ca04 else { return false }
            logical += 1
        }
        return true
    }
}
