internal import Storage

extension VolumeCheck {
    /// Learns what inode 1 calls bad, before anything is read that may lie there.
    func collectBadBlocks() throws(StorageError) {
        let number = InodeNumber(1)
        guard
            let inode = try sink.attempt(
                inode: 1, { () throws(StorageError) in try view.rawInode(number) })
        else { return }
        try checkMap(of: inode)
    }

    /// A bitmap in a bad block has to be moved. Inodes in bad blocks are nobody's, and stay marked as in use.
    func checkBadBlocks(in groups: [GroupDescriptor]) {
        guard badBlocks.count > 0 else { return }
        for descriptor in groups {
            for (what, block) in [("block", descriptor.blockBitmap), ("inode", descriptor.inodeBitmap)]
            where isBad(block) {
                sink.add(
                    .badBlock,
                    "the \(what) bitmap of group \(descriptor.group) lies in a block that is marked as bad",
                    structure: "bitmap", offset: geometry.byteOffset(of: block))
            }
        }
    }

    /// Whether inode 1 calls a block bad.
    func isBad(_ block: BlockNumber) -> Bool {
        guard badBlocks.count > 0, let clusters = clusters(of: Range(block, count: 1)) else {
            return false
        }
        return badBlocks.isClaimed(clusters.lowerBound)
    }

    /// Whether an inode's record lies in a bad block.
    func isInBadBlock(_ number: UInt32) -> Bool {
        guard badBlocks.count > 0, let place = try? view.inodePosition(InodeNumber(number)) else {
            return false
        }
        return isBad(place.block)
    }
}
