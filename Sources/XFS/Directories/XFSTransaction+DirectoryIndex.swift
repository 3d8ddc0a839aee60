internal import Storage

/// The hashes of a directory of several blocks, and the list of the longest gap of each: in one leaf, or in a tree of leaves
/// with the gaps in blocks of their own.
extension XFSTransaction {
    /// Adds an entry to a directory with a leaf or a tree.
    func addToIndexed(_ entry: RawDirectoryEntry, _ directory: inout Inode) throws(StorageError) {
        let size = directoryLayout.entrySize(entry.name.count)
        let gaps = try gaps(of: directory)
        let number: UInt64
        var block: EditedDataBlock
        if let index = gaps.firstIndex(where: { $0 != DirectoryLayout.noBlock && Int($0) >= size }) {
            number = UInt64(index)
            block = try editedBlock(number, of: directory)
        } else {
            number = UInt64(gaps.firstIndex(of: DirectoryLayout.noBlock) ?? gaps.count)
            guard number < hashStart else {
                throw .xfs(.refused, .directoryFull, "directory \(directory.name) has no room")
            }
            try addDirectoryBlock(number, to: &directory)
            let end = (number + 1) * UInt64(geometry.directoryBlockSize)
            directory.bytes.storeBig(max(directory.size, end), at: Inode.Offset.size)
            block = EditedDataBlock(empty: directoryLayout, magic: directoryLayout.dataMagic)
        }
        guard let offset = block.insert(entry) else { throw badDirectory(directory, directory.position) }
        try put(&block, number, of: directory)
        let address = UInt32(
            truncatingIfNeeded: (number * UInt64(geometry.directoryBlockSize) + UInt64(offset)) / 8)
        let hash = NameAddress(hash: NameHash.of(entry.name), address: address)
        let gap = UInt16(block.longestGap)
        if try insertInPlace(hash, gap: gap, of: number, known: gaps.count, directory) { return }
        var hashes = try hashes(of: directory)
        hashes.insert(sorted: hash)
        var all = gaps
        if Int(number) < all.count { all[Int(number)] = gap } else { all.append(gap) }
        try layIndexOut(hashes, gaps: all, in: &directory)
    }

    // MARK: Changing in place

    /// The blocks from the root down to the leaf for a hash, with their numbers in blocks of the file, and the entry taken
    /// in each block above. With `address` the leaf is the one that has that entry.
    private struct HashPath {
        var blocks: [(number: UInt64, block: HashBlock)] = []
        var entries: [Int] = []
    }

    private func hashPath(_ hash: UInt32, in directory: Inode) throws(StorageError) -> HashPath {
        var path = HashPath()
        var number = hashStartBlock
        while true {
            guard path.blocks.count < 7, let block = try hashBlock(number, ofDirectory: directory),
                path.blocks.last.map({ above in
                    block.kind == .leaf ? above.block.level == 1 : block.level == above.block.level - 1
                }) ?? true
            else { throw badDirectory(directory, directory.position) }
            path.blocks.append((number, block))
            guard block.kind == .node else { return path }
            guard block.count > 0 else { throw badDirectory(directory, block.position) }
            let entry = min(block.firstIndex(of: hash), block.count - 1)
            path.entries.append(entry)
            number = UInt64(block.value(entry))
        }
    }

    /// False where the blocks that there are have no room.
    private func insertInPlace(
        _ hash: NameAddress, gap: UInt16, of number: UInt64, known: Int, _ directory: Inode
    ) throws(StorageError) -> Bool {
        let path = try hashPath(hash.hash, in: directory)
        guard let (place, leaf) = path.blocks.last else { return false }
        var hashes = held(in: leaf)
        hashes.insert(sorted: hash)
        if leaf.kind == .singleLeaf {
            var gaps = try gaps(of: directory)
            if Int(number) < gaps.count { gaps[Int(number)] = gap } else { gaps.append(gap) }
            guard let bytes = singleLeaf(hashes, gaps) else { return false }
            try put(bytes, hashStart, of: directory, .directoryLeaf)
            return true
        }
        let layout = directoryLayout
        guard hashes.count <= layout.leafCapacity,
            Int(number) < known || known % layout.freeSpaceCapacity != 0
        else { return false }
        try noteGap(gap, of: number, in: directory)
        let bytes = hashes.reduce(into: (leaf.bytes, 0)) { result, hash in
            result.0.storeBig(hash.hash, at: leaf.start + result.1 * 8)
            result.0.storeBig(hash.address, at: leaf.start + result.1 * 8 + 4)
            result.1 += 1
        }.0
        var changed = bytes
        for index in leaf.start + hashes.count * 8..<changed.count { changed[index] = 0 }
        let field = layout.hasChecksums ? 56 : 12
        changed.storeBig(UInt16(hashes.count), at: field)
        changed.storeBig(UInt16(0), at: field + 2)
        try put(changed, place / perBlock, of: directory, .directoryTreeLeaf)
        // Blocks above know the highest hash below each entry.
        guard var highest = hashes.last?.hash else { return true }
        for depth in path.entries.indices.reversed() {
            let (place, node) = path.blocks[depth]
            let entry = path.entries[depth]
            guard node.hash(entry) != highest else { break }
            var bytes = node.bytes
            bytes.storeBig(highest, at: node.start + entry * 8)
            try put(bytes, place / perBlock, of: directory, .hashNode)
            guard entry == node.count - 1 else { break }
            highest = bytes.big(node.start + entry * 8)
        }
        return true
    }

    func held(in leaf: HashBlock) -> [NameAddress] {
        (0..<leaf.count).map { NameAddress(hash: leaf.hash($0), address: leaf.value($0)) }
            .filter { $0.address != 0 }
    }

    /// Marks a hash as gone; it stays in its place.
    func dropHash(_ hash: UInt32, _ address: UInt32, in directory: Inode) throws(StorageError) {
        let path = try hashPath(hash, in: directory)
        guard var (place, leaf) = path.blocks.last else { return }
        var seen: Set<UInt32> = []
        while true {
            let index = (leaf.firstIndex(of: hash)..<max(leaf.count, leaf.firstIndex(of: hash))).first {
                leaf.hash($0) == hash && leaf.value($0) == address
            }
            if let index {
                var bytes = leaf.bytes
                bytes.storeBig(UInt32(0), at: leaf.start + index * 8 + 4)
                let field = directoryLayout.hasChecksums ? 58 : 14
                let stale: UInt16 = bytes.big(field)
                bytes.storeBig(stale &+ 1, at: field)
                let isSingle = leaf.kind == .singleLeaf
                return try put(
                    bytes, place / perBlock, of: directory, isSingle ? .directoryLeaf : .directoryTreeLeaf)
            }
            // Entries of one hash may go on in the next leaf.
            guard let next = try self.leaf(behind: leaf, of: directory, &seen) else {
                throw badDirectory(directory, leaf.position)
            }
            place = UInt64(leaf.next)
            leaf = next
        }
    }

    /// Writes down the longest gap of a block.
    func noteGap(_ gap: Int, of number: UInt64, in directory: Inode) throws(StorageError) {
        try noteGap(UInt16(gap), of: number, in: directory)
    }

    private func noteGap(_ gap: UInt16, of number: UInt64, in directory: Inode) throws(StorageError) {
        let root = try rootBlock(directory)
        if root.kind == .singleLeaf {
            var bytes = root.bytes
            let count = UInt64(bytes.big(bytes.count - 4, as: UInt32.self))
            let room = bytes.count - root.start - 4 - root.count * 8
            guard number < count, room >= 0, count <= UInt64(room / 2) else {
                throw badDirectory(directory, root.position)
            }
            bytes.storeBig(gap, at: bytes.count - 4 - Int(count - number) * 2)
            return try put(bytes, hashStart, of: directory, .directoryLeaf)
        }
        let layout = directoryLayout
        let capacity = UInt64(layout.freeSpaceCapacity)
        var (bytes, position) = try gapBlock(number / capacity, of: directory)
        let index = Int(number % capacity)
        let field = layout.hasChecksums ? 52 : 8
        let count = Int(bytes.big(field, as: UInt32.self))
        guard index <= count, count <= layout.freeSpaceCapacity else {
            throw badDirectory(directory, position)
        }
        let place = layout.freeSpaceHeaderSize + index * 2
        let wasUsed = index < count && bytes.big(place) != DirectoryLayout.noBlock
        bytes.storeBig(gap, at: place)
        if index == count { bytes.storeBig(UInt32(count + 1), at: field) }
        if !wasUsed {
            let used: UInt32 = bytes.big(field + 4)
            bytes.storeBig(used &+ 1, at: field + 4)
        }
        try put(bytes, gapStart + number / capacity, of: directory, .directoryFreeSpace)
    }
}
