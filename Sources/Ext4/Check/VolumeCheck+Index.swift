internal import Storage

extension VolumeCheck {
    /// What a walk over a directory's hash index has met.
    private struct IndexWalk {
        let directory: Inode
        let blockCount: UInt64
        /// Blocks that the index leads to.
        var seen: Set<UInt64> = [0]
        var defect: String?
    }

    /// The hash index: every block is reached once, at one depth, with hashes in order.
    func checkIndex(of directory: Inode, blockCount: UInt64) throws(StorageError) {
        var walk = IndexWalk(directory: directory, blockCount: blockCount)
        if let root = try indexBlock(0, of: directory) {
            let levels = Int(root[30])
            let limit = geometry.incompatible.contains(.largeDirectories) ? 2 : 1
            if DirectoryChecksum.indexOffset(root) != 32 {
                walk.defect = "its root is damaged"
            } else if root[28] > 6 {
                walk.defect = "its hash \(root[28]) is unknown"
            } else if levels > limit {
                walk.defect = "it has \(levels) levels below its root"
            } else {
                try visit(root, at: 32, levels: levels, hashes: 0...UInt32.max, &walk)
            }
        } else {
            walk.defect = "its root cannot be read"
        }
        if walk.defect == nil, UInt64(walk.seen.count) != blockCount {
            walk.defect = "it leads to \(walk.seen.count) of \(blockCount) blocks"
        }
        if let defect = walk.defect {
            add(.directoryIndex, directory, "has a damaged index: \(defect)")
        }
    }

    private func indexBlock(_ logical: UInt64, of directory: Inode) throws(StorageError) -> [UInt8]? {
        try sink.attempt(inode: directory.number.rawValue) { () throws(StorageError) in
            guard case .written(let block) = try view.run(of: directory, at: logical).place else {
                return nil
            }
            return try view.block(block)
        } ?? nil
    }

    /// Entries of one index block: the first has no hash of its own, its place holds limit and count.
    private func visit(
        _ block: [UInt8], at offset: Int, levels: Int, hashes: ClosedRange<UInt32>, _ walk: inout IndexWalk
    ) throws(StorageError) {
        let limit = Int(block.little(offset, as: UInt16.self))
        let count = Int(block.little(offset + 2, as: UInt16.self))
        let tail = geometry.hasMetadataChecksums ? 8 : 0
        guard count > 0, count <= limit, limit == (block.count - offset - tail) / 8 else {
            walk.defect = walk.defect ?? "a block claims \(count) of \(limit) entries"
            return
        }
        var previous = hashes.lowerBound
        for index in 0..<count where walk.defect == nil {
            let entry = offset + index * 8
            let hash = index == 0 ? previous : block.little(entry, as: UInt32.self)
            let child = UInt64(block.little(entry + 4, as: UInt32.self) & 0x0fff_ffff)
            guard hash >= previous, hash <= hashes.upperBound else {
                walk.defect = "its hashes are not in order"
                return
            }
            guard child < walk.blockCount, walk.seen.insert(child).inserted else {
                walk.defect = "it leads to block \(child) twice or past the end"
                return
            }
            previous = hash
            // A block further down is an index block or not; either must fit its place.
            guard let below = try indexBlock(child, of: walk.directory) else {
                walk.defect = "block \(child) cannot be read"
                return
            }
            let isIndex = DirectoryChecksum.indexOffset(below) == 8
            guard levels > 0 else { continue }
            guard isIndex else {
                walk.defect = "block \(child) should be a part of the index"
                return
            }
            let last = index + 1 < count ? block.little(entry + 8, as: UInt32.self) : hashes.upperBound
            guard hash <= last else {
                walk.defect = "its hashes are not in order"
                return
            }
            try visit(below, at: 8, levels: levels - 1, hashes: hash...last, &walk)
        }
    }
}
