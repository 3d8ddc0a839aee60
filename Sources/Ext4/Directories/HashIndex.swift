internal import Storage

/// A block of a directory's hash index: the root (behind "." and "..") or a node. Entries of eight bytes, the
/// first with limit and count in place of its hash. Offsets: the kernel's `struct dx_root` and `dx_node`.
struct HashIndexBlock: Sendable {
    static let rootOffset = 32
    static let nodeOffset = 8

    /// The directory's block that it is, counted in the directory.
    var logical: UInt64
    var number: BlockNumber
    var bytes: [UInt8]
    /// Where entries begin.
    var offset: Int

    var limit: Int {
        get { Int(bytes.little(offset) as UInt16) }
        set { bytes.storeLittle(UInt16(truncatingIfNeeded: newValue), at: offset) }
    }
    var count: Int {
        get { Int(bytes.little(offset + 2) as UInt16) }
        set { bytes.storeLittle(UInt16(truncatingIfNeeded: newValue), at: offset + 2) }
    }
    var isFull: Bool { count >= limit }

    /// Entry 0 has no hash of its own: it begins at 0.
    func hash(_ index: Int) -> UInt32 { index == 0 ? 0 : bytes.little(offset + index * 8) }
    /// The directory's block that an entry points to.
    func child(_ index: Int) -> UInt64 {
        UInt64((bytes.little(offset + index * 8 + 4) as UInt32) & 0x0fff_ffff)
    }

    mutating func setEntry(_ index: Int, hash: UInt32, child: UInt64) {
        if index > 0 { bytes.storeLittle(hash, at: offset + index * 8) }
        bytes.storeLittle(UInt32(truncatingIfNeeded: child), at: offset + index * 8 + 4)
    }

    mutating func insert(_ index: Int, hash: UInt32, child: UInt64) {
        count += 1
        for slot in stride(from: count - 1, to: index, by: -1) {
            setEntry(slot, hash: self.hash(slot - 1), child: self.child(slot - 1))
        }
        setEntry(index, hash: hash, child: child)
    }

    /// The last entry whose hash is not above `hash`.
    func index(of hash: UInt32) -> Int {
        // The first stands for all hashes below the second's.
        (1..<max(count, 1)).firstIndex(sortedBy: { self.hash($0) > hash }) - 1
    }

    /// How many entries fit.
    static func limit(blockSize: Int, offset: Int, hasChecksum: Bool) -> Int {
        (blockSize - offset - (hasChecksum ? 8 : 0)) / 8
    }
}

/// The way from a directory's root to the leaf for a hash.
struct HashIndexPath: Sendable {
    struct Step: Sendable {
        var block: HashIndexBlock
        /// The entry that the way goes through.
        var index: Int
    }

    let hash: DirectoryHash
    var steps: [Step]

    /// The leaf, counted in the directory.
    var leaf: UInt64 { steps[steps.count - 1].block.child(steps[steps.count - 1].index) }
}

extension VolumeView {
    /// Levels of nodes below the root: one, or two with large_dir.
    var maximumIndexLevels: Int { geometry.incompatible.contains(.largeDirectories) ? 2 : 1 }

    /// The way to the leaf for a name; nil where the index has another form than is known, so that only a
    /// search through all blocks helps.
    func indexPath(
        of directory: Inode, for name: [UInt8]
    ) throws(StorageError) -> (path: HashIndexPath, hash: UInt32)? {
        guard directory.flags.contains(.indexed), !directory.flags.contains(.inlineData),
            !directory.flags.contains(.caseFolded),
            let (number, root) = try directoryBlock(0, of: directory),
            DirectoryChecksum.indexOffset(root.bytes) == HashIndexBlock.rootOffset,
            let function = DirectoryHash(version: root.bytes[28], superblockFlags: superblock.flags)
        else { return nil }
        let levels = Int(root.bytes[30])
        guard levels <= maximumIndexLevels else { return nil }
        let hash = function.hash(name, seed: superblock.hashSeed)
        var block = HashIndexBlock(
            logical: 0, number: number, bytes: root.bytes, offset: HashIndexBlock.rootOffset)
        var path = HashIndexPath(hash: function, steps: [])
        for level in 0...levels {
            let most = HashIndexBlock.limit(
                blockSize: geometry.blockSize, offset: block.offset,
                hasChecksum: geometry.hasMetadataChecksums)
            guard block.count > 0, block.count <= block.limit, block.limit <= most else { return nil }
            let index = block.index(of: hash)
            path.steps.append(.init(block: block, index: index))
            guard level < levels else { break }
            let logical = block.child(index)
            guard logical < (try directoryBlockCount(directory)),
                let (number, node) = try directoryBlock(logical, of: directory),
                DirectoryChecksum.indexOffset(node.bytes) == HashIndexBlock.nodeOffset
            else { return nil }
            block = HashIndexBlock(
                logical: logical, number: number, bytes: node.bytes, offset: HashIndexBlock.nodeOffset)
        }
        guard path.leaf > 0, path.leaf < (try directoryBlockCount(directory)) else { return nil }
        return (path, hash)
    }

    /// The next leaf, when names with the same hash go on there.
    func nextLeaf(
        _ path: inout HashIndexPath, hash: UInt32, of directory: Inode
    ) throws(StorageError) -> Bool {
        var level = path.steps.count - 1
        while path.steps[level].index + 1 >= path.steps[level].block.count {
            guard level > 0 else { return false }
            level -= 1
        }
        path.steps[level].index += 1
        let next = path.steps[level].block.hash(path.steps[level].index)
        // The lowest bit says that the leaf goes on with the hash that the one before ended with.
        guard next & 1 == 1, next & ~1 == hash else { return false }
        while level + 1 < path.steps.count {
            let step = path.steps[level]
            guard let (number, node) = try directoryBlock(step.block.child(step.index), of: directory),
                DirectoryChecksum.indexOffset(node.bytes) == HashIndexBlock.nodeOffset
            else { return false }
            level += 1
            path.steps[level] = .init(
                block: HashIndexBlock(
                    logical: step.block.child(step.index), number: number, bytes: node.bytes,
                    offset: HashIndexBlock.nodeOffset), index: 0)
            guard path.steps[level].block.count > 0,
                path.steps[level].block.count <= path.steps[level].block.limit,
                path.steps[level].block.limit * 8 <= geometry.blockSize - 8
            else { return false }
        }
        return true
    }
}
