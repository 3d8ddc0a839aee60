internal import Storage

extension VolumeView {
    /// Why the hash index of a directory does not lead to every name in it, in words; nil where it does. Every block is
    /// reached once, at one depth, with hashes in order, and a leaf holds only names whose hashes are its own. Of an
    /// index by a hash that is not known here (names that are folded, SipHash) only the shape is looked at.
    func indexDefect(of directory: Inode, blockCount: UInt64) throws(StorageError) -> String? {
        guard let root = try indexBlock(0, of: directory) else { return "its root cannot be read" }
        guard DirectoryChecksum.indexOffset(root) == HashIndexBlock.rootOffset else {
            return "its root is damaged"
        }
        guard root[28] <= 6 else { return "its hash \(root[28]) is unknown" }
        let levels = Int(root[30])
        guard levels <= maximumIndexLevels else { return "it has \(levels) levels below its root" }
        var walk = IndexWalk(
            blockCount: blockCount, seed: superblock.hashSeed,
            hash: directory.flags.contains(.caseFolded)
                ? nil : DirectoryHash(version: root[28], superblockFlags: superblock.flags))
        if let defect = walk.enter(
            root, at: HashIndexBlock.rootOffset, of: geometry, levels: levels, first: 0, end: nil)
        {
            return defect
        }
        while let part = walk.pending.popLast() {
            guard let block = try indexBlock(part.logical, of: directory) else {
                return "block \(part.logical) cannot be read"
            }
            if part.levels == 0 {
                let end = block.count - DirectoryChecksum.reservedLength(block)
                let leaf = DirectoryBlock(bytes: block, range: 0..<end, hasFileTypes: hasFileTypes)
                if let defect = walk.defect(of: leaf, part) { return defect }
                continue
            }
            guard DirectoryChecksum.indexOffset(block) == HashIndexBlock.nodeOffset else {
                return "block \(part.logical) should be a part of the index"
            }
            if let defect = walk.enter(
                block, at: HashIndexBlock.nodeOffset, of: geometry, levels: part.levels - 1,
                first: part.first,
                end: part.end)
            {
                return defect
            }
        }
        guard UInt64(walk.seen.count) == blockCount else {
            return "it leads to \(walk.seen.count) of \(blockCount) blocks"
        }
        return nil
    }

    private func indexBlock(_ logical: UInt64, of directory: Inode) throws(StorageError) -> [UInt8]? {
        guard case .written(let block) = try run(of: directory, at: logical).place else { return nil }
        return try self.block(block)
    }
}

/// What a walk over an index has met and has still to look at.
private struct IndexWalk {
    /// A block that the index leads to.
    struct Part {
        var logical: UInt64
        /// Levels of index blocks from it on; 0 for a leaf.
        var levels: Int
        /// The hash that it begins with, and the next one's; the lowest bit of each says that names of one hash go on
        /// from the block before.
        var first: UInt32
        var end: UInt32?
    }

    let blockCount: UInt64
    let seed: [UInt32]
    let hash: DirectoryHash?
    var pending: [Part] = []
    /// Blocks that the index leads to.
    var seen: Set<UInt64> = [0]

    init(blockCount: UInt64, seed: [UInt32], hash: DirectoryHash?) {
        self.blockCount = blockCount
        self.seed = seed
        self.hash = hash
    }

    /// Takes in what an index block leads to. The first entry has no hash of its own: its place holds limit and count.
    mutating func enter(
        _ block: [UInt8], at offset: Int, of geometry: Geometry, levels: Int, first: UInt32, end: UInt32?
    ) -> String? {
        let limit = Int(block.little(offset) as UInt16)
        let count = Int(block.little(offset + 2) as UInt16)
        let fits = HashIndexBlock.limit(
            blockSize: block.count, offset: offset, hasChecksum: geometry.hasMetadataChecksums)
        guard count > 0, count <= limit, limit == fits else {
            return "a block claims \(count) of \(limit) entries"
        }
        var hash = first
        for index in 0..<count {
            let entry = offset + index * 8
            let next: UInt32? = index + 1 < count ? block.little(entry + 8) : end
            let child = UInt64((block.little(entry + 4) as UInt32) & 0x0fff_ffff)
            guard next.map({ $0 >= hash }) ?? true else { return "its hashes are not in order" }
            guard child < blockCount, seen.insert(child).inserted else {
                return "it leads to block \(child) twice or past the end"
            }
            pending.append(Part(logical: child, levels: levels, first: hash, end: next))
            hash = next ?? hash
        }
        return nil
    }

    /// Names that are looked for in another leaf than the one that they are in.
    func defect(of leaf: DirectoryBlock, _ part: Part) -> String? {
        guard let hash, let entries = leaf.usedEntries() else { return nil }
        for entry in entries {
            let value = hash.hash(leaf.bytes[entry.nameRange], seed: seed)
            // Names with the next leaf's hash are here, too, where that says so.
            let isBelow = part.end.map { value < $0 & ~1 || value == $0 & ~1 && $0 & 1 == 1 } ?? true
            guard value < part.first & ~1 || !isBelow else { continue }
            return "it does not lead to \"\(leaf.name(of: entry).displayText)\""
        }
        return nil
    }
}
