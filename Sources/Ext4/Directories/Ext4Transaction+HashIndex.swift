internal import Storage

extension Ext4Transaction {
    /// The leaf of an indexed directory that a name belongs to, and the way to it.
    func indexedLeaf(
        for name: [UInt8], in directory: Inode
    ) throws(StorageError) -> (number: BlockNumber, leaf: DirectoryBlock, path: HashIndexPath) {
        guard let (path, _) = try indexPath(of: directory, for: name) else {
            throw .ext4(
                .unsupported, .badIndex,
                "the hash index of directory \(directory.name) is damaged or of an unknown kind; run e2fsck -D"
            )
        }
        guard let (number, leaf) = try directoryBlock(path.leaf, of: directory) else {
            throw .ext4(
                .corrupt, .badIndex,
                "the hash index of directory \(directory.name) points to a hole; run e2fsck")
        }
        return (number, leaf, path)
    }

    /// Splits one block on the way to a name's leaf, which is full.
    func splitIndex(of directory: inout Inode, for name: [UInt8]) throws(StorageError) {
        let (number, leaf, path) = try indexedLeaf(for: name, in: directory)
        guard let level = path.steps.lastIndex(where: { !$0.block.isFull }) else {
            return try addLevel(path, to: &directory)
        }
        if level == path.steps.count - 1 {
            try splitLeaf(leaf, number, path, of: &directory)
        } else {
            try splitNode(path, below: level, of: &directory)
        }
    }

    /// Moves the upper half of a leaf's entries, by hash, to a new leaf.
    private func splitLeaf(
        _ leaf: DirectoryBlock, _ number: BlockNumber, _ path: HashIndexPath, of directory: inout Inode
    ) throws(StorageError) {
        guard let used = leaf.usedEntries(), used.count > 1 else {
            throw .ext4(
                .corrupt, .badIndex, "a block of directory \(directory.name) is damaged; run e2fsck -D")
        }
        let seed = superblock.hashSeed
        let sorted = used.map { (hash: path.hash.hash(leaf.name(of: $0), seed: seed), entry: $0) }
            .sorted { $0.hash < $1.hash }
        // Half by the bytes taken, at least one entry on each side.
        let total = used.reduce(0) { $0 + RawDirectoryEntry.length(nameLength: $1.nameRange.count) }
        var split = 0
        var taken = 0
        while split < sorted.count - 1, taken < total / 2 || split == 0 {
            taken += RawDirectoryEntry.length(nameLength: sorted[split].entry.nameRange.count)
            split += 1
        }
        let boundary = sorted[split].hash
        let continues: UInt32 = sorted[split - 1].hash == boundary ? 1 : 0
        var lower = emptyDirectoryBlock()
        var upper = emptyDirectoryBlock()
        for (index, item) in sorted.enumerated() {
            let name = leaf.name(of: item.entry)
            let child = InodeNumber(item.entry.inode)
            let fits =
                index < split
                ? lower.insert(name, child, typeCode: item.entry.typeCode)
                : upper.insert(name, child, typeCode: item.entry.typeCode)
            guard fits else {
                throw .ext4(
                    .corrupt, .badIndex, "a block of directory \(directory.name) is damaged; run e2fsck -D")
            }
        }
        let (logical, newNumber) = try appendBlock(to: &directory)
        try store(lower.bytes, ofDirectory: directory, at: number, role: .directory)
        try store(upper.bytes, ofDirectory: directory, at: newNumber, role: .directory)
        var parent = path.steps[path.steps.count - 1]
        parent.block.insert(parent.index + 1, hash: boundary | continues, child: logical)
        try store(parent.block.bytes, ofDirectory: directory, at: parent.block.number, role: .directory)
    }

    /// Splits the full node below level `level`, which has room for one more entry.
    private func splitNode(
        _ path: HashIndexPath, below level: Int, of directory: inout Inode
    ) throws(StorageError) {
        var parent = path.steps[level]
        var node = path.steps[level + 1].block
        let half = node.count / 2
        let boundary = node.hash(half)
        let (logical, number) = try appendBlock(to: &directory)
        var upper = emptyNode(logical, number)
        for index in half..<node.count {
            upper.count += 1
            upper.setEntry(index - half, hash: node.hash(index), child: node.child(index))
        }
        node.count = half
        parent.block.insert(parent.index + 1, hash: boundary, child: logical)
        for block in [node, upper, parent.block] {
            try store(block.bytes, ofDirectory: directory, at: block.number, role: .directory)
        }
    }

    /// Moves a full root's entries to a node of their own.
    private func addLevel(_ path: HashIndexPath, to directory: inout Inode) throws(StorageError) {
        guard path.steps.count <= maximumIndexLevels else {
            throw .ext4(
                .refused, .directoryFull,
                "directory \(directory.name) is full: its index can have no more levels without large_dir")
        }
        var root = path.steps[0].block
        let (logical, number) = try appendBlock(to: &directory)
        var node = emptyNode(logical, number)
        for index in 0..<root.count {
            node.count += 1
            node.setEntry(index, hash: root.hash(index), child: root.child(index))
        }
        root.count = 1
        root.setEntry(0, hash: 0, child: logical)
        root.bytes[30] += 1
        for block in [node, root] {
            try store(block.bytes, ofDirectory: directory, at: block.number, role: .directory)
        }
    }

    private func emptyNode(_ logical: UInt64, _ number: BlockNumber) -> HashIndexBlock {
        var bytes = [UInt8](repeating: 0, count: geometry.blockSize)
        bytes.storeLittle(
            DirectoryBlock.rawRecordLength(geometry.blockSize, blockSize: geometry.blockSize), at: 4)
        var node = HashIndexBlock(
            logical: logical, number: number, bytes: bytes, offset: HashIndexBlock.nodeOffset)
        node.limit = HashIndexBlock.limit(
            blockSize: geometry.blockSize, offset: node.offset, hasChecksum: geometry.hasMetadataChecksums)
        return node
    }

    /// Gives a directory of one full block an index: its entries move to a leaf. False where the superblock's
    /// hash is not known, so that the directory goes on without one.
    func makeIndex(of directory: inout Inode) throws(StorageError) -> Bool {
        let version = superblock.defaultHashVersion
        guard version <= 2, DirectoryHash(version: version, superblockFlags: superblock.flags) != nil,
            let (number, old) = try directoryBlock(0, of: directory), let used = old.usedEntries(),
            used.count > 2, old.hasName(used[0], [UInt8(ascii: ".")]),
            old.hasName(used[1], [UInt8(ascii: "."), UInt8(ascii: ".")])
        else { return false }
        var leaf = emptyDirectoryBlock()
        for entry in used.dropFirst(2) {
            guard leaf.insert(old.name(of: entry), InodeNumber(entry.inode), typeCode: entry.typeCode) else {
                return false
            }
        }
        let (logical, leafNumber) = try appendBlock(to: &directory)
        try store(leaf.bytes, ofDirectory: directory, at: leafNumber, role: .directory)
        // The root: the two entries as they were, the second reaching to the block's end, and the index behind it.
        var bytes = Array(old.bytes[0..<24]) + [UInt8](repeating: 0, count: geometry.blockSize - 24)
        bytes.storeLittle(UInt16(12), at: 4)
        bytes.storeLittle(
            DirectoryBlock.rawRecordLength(geometry.blockSize - 12, blockSize: geometry.blockSize), at: 16)
        bytes[28] = version
        bytes[29] = 8
        var root = HashIndexBlock(
            logical: 0, number: number, bytes: bytes, offset: HashIndexBlock.rootOffset)
        root.limit = HashIndexBlock.limit(
            blockSize: geometry.blockSize, offset: root.offset, hasChecksum: geometry.hasMetadataChecksums)
        root.count = 1
        root.setEntry(0, hash: 0, child: logical)
        directory.flags.insert(.indexed)
        soundIndexes.insert(directory.number)
        try store(root.bytes, ofDirectory: directory, at: number, role: .directory)
        return true
    }
}
