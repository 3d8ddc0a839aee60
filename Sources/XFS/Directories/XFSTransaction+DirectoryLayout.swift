internal import Storage

/// Hashes and gaps of a directory laid out anew: when it gets blocks of them, when one of them is full, when a block goes.
extension XFSTransaction {
    /// Gives back a block that holds no entry any more; the directory ends with the last one that does.
    func dropDataBlock(_ number: UInt64, of directory: inout Inode) throws(StorageError) {
        var gaps = try gaps(of: directory)
        guard number < UInt64(gaps.count) else { throw badDirectory(directory, directory.position) }
        let before = gaps.count
        gaps[Int(number)] = DirectoryLayout.noBlock
        while gaps.last == DirectoryLayout.noBlock { gaps.removeLast() }
        let start = number * perBlock
        let (kept, gone) = try extents(of: directory, .data).cut(start..<start + perBlock)
        for record in gone { try release(record, .data, of: directory) }
        try setExtents(kept, .data, of: &directory)
        directory.bytes.storeBig(
            UInt64(gaps.count) * UInt64(geometry.directoryBlockSize), at: Inode.Offset.size)
        let root = try rootBlock(directory)
        let layout = directoryLayout
        if root.kind == .singleLeaf {
            guard let bytes = singleLeaf(held(in: root), gaps) else {
                throw badDirectory(directory, root.position)
            }
            return try put(bytes, hashStart, of: directory, .directoryLeaf)
        }
        let capacity = layout.freeSpaceCapacity
        let list = Int(number) / capacity
        guard (before - 1) / capacity == (gaps.count - 1) / capacity else {
            // The last list of gaps has become empty.
            return try layIndexOut(hashes(of: directory), gaps: gaps, in: &directory)
        }
        try putGaps(gaps, list, of: directory)
    }

    /// Writes a list of gaps.
    private func putGaps(_ gaps: [UInt16], _ number: Int, of directory: Inode) throws(StorageError) {
        let layout = directoryLayout
        let first = number * layout.freeSpaceCapacity
        let part = gaps[min(first, gaps.count)..<min(first + layout.freeSpaceCapacity, gaps.count)]
        var bytes = [UInt8](repeating: 0, count: layout.blockSize)
        bytes.storeBig(layout.freeSpaceMagic, at: 0)
        let field = layout.hasChecksums ? 48 : 4
        bytes.storeBig(UInt32(first), at: field)
        bytes.storeBig(UInt32(part.count), at: field + 4)
        bytes.storeBig(UInt32(part.count { $0 != DirectoryLayout.noBlock }), at: field + 8)
        for (index, gap) in part.enumerated() {
            bytes.storeBig(gap, at: layout.freeSpaceHeaderSize + index * 2)
        }
        try put(bytes, gapStart + UInt64(number), of: directory, .directoryFreeSpace)
    }

    /// A leaf with all hashes and gaps; nil where they have no room.
    func singleLeaf(_ hashes: [NameAddress], _ gaps: [UInt16]) -> [UInt8]? {
        let layout = directoryLayout
        guard layout.hashHeaderSize + hashes.count * 8 + gaps.count * 2 + 4 <= layout.blockSize else {
            return nil
        }
        var bytes = leaf(hashes[...], magic: layout.hasChecksums ? 0x3df1 : 0xd2f1)
        bytes.storeBig(UInt32(gaps.count), at: bytes.count - 4)
        for (index, gap) in gaps.enumerated() {
            bytes.storeBig(gap, at: bytes.count - 4 - (gaps.count - index) * 2)
        }
        return bytes
    }

    private func leaf(_ hashes: ArraySlice<NameAddress>, magic: UInt16) -> [UInt8] {
        let layout = directoryLayout
        var bytes = [UInt8](repeating: 0, count: layout.blockSize)
        bytes.storeBig(magic, at: 8)
        bytes.storeBig(UInt16(hashes.count), at: layout.hasChecksums ? 56 : 12)
        for (index, hash) in hashes.enumerated() {
            bytes.storeBig(hash.hash, at: layout.hashHeaderSize + index * 8)
            bytes.storeBig(hash.address, at: layout.hashHeaderSize + index * 8 + 4)
        }
        return bytes
    }

    /// Lays hashes and gaps out in new blocks: in one leaf where they fit, else in a tree whose leaves have room left.
    func layIndexOut(
        _ hashes: [NameAddress], gaps: [UInt16], in directory: inout Inode
    ) throws(StorageError) {
        try dropIndex(of: &directory)
        let layout = directoryLayout
        if let bytes = singleLeaf(hashes, gaps) {
            try addDirectoryBlock(hashStart, to: &directory)
            return try put(bytes, hashStart, of: directory, .directoryLeaf)
        }
        for number in 0..<gaps.count.dividedRoundingUp(by: layout.freeSpaceCapacity) {
            try addDirectoryBlock(gapStart + UInt64(number), to: &directory)
            try putGaps(gaps, number, of: directory)
        }
        try layTreeOut(hashes, in: &directory)
    }

    /// A tree of hashes: its root is the first block.
    private func layTreeOut(_ hashes: [NameAddress], in directory: inout Inode) throws(StorageError) {
        let layout = directoryLayout
        let filled = max(layout.leafCapacity * 3 / 4, 1)
        let count = hashes.count <= layout.leafCapacity ? 1 : hashes.count.dividedRoundingUp(by: filled)
        var next = count == 1 ? hashStart : hashStart + 1
        var level: [(bytes: [UInt8], highest: UInt32)] = (0..<count).map { index in
            let part = hashes[hashes.count * index / count..<hashes.count * (index + 1) / count]
            return (leaf(part, magic: layout.hasChecksums ? 0x3dff : 0xd2ff), part.last?.hash ?? 0)
        }
        var height = 0
        while true {
            let isRoot = level.count == 1
            let first = isRoot ? hashStart : next
            for index in level.indices {
                let number = first + UInt64(index)
                if index > 0 { level[index].bytes.storeBig(UInt32((number - 1) * perBlock), at: 4) }
                if index + 1 < level.count {
                    level[index].bytes.storeBig(UInt32((number + 1) * perBlock), at: 0)
                }
                try addDirectoryBlock(number, to: &directory)
                try put(
                    level[index].bytes, number, of: directory, height == 0 ? .directoryTreeLeaf : .hashNode)
            }
            guard !isRoot else { return }
            next = first + UInt64(level.count)
            height += 1
            let parts = level.count.dividedRoundingUp(by: layout.leafCapacity)
            level = (0..<parts).map { part in
                let range = level.count * part / parts..<level.count * (part + 1) / parts
                var bytes = [UInt8](repeating: 0, count: layout.blockSize)
                bytes.storeBig(UInt16(layout.hasChecksums ? 0x3ebe : 0xfebe), at: 8)
                let field = layout.hasChecksums ? 56 : 12
                bytes.storeBig(UInt16(range.count), at: field)
                bytes.storeBig(UInt16(height), at: field + 2)
                for (place, index) in range.enumerated() {
                    bytes.storeBig(level[index].highest, at: layout.hashHeaderSize + place * 8)
                    bytes.storeBig(
                        UInt32((first + UInt64(index)) * perBlock), at: layout.hashHeaderSize + place * 8 + 4)
                }
                return (bytes, level[range.upperBound - 1].highest)
            }
        }
    }

    /// Gives back the blocks of hashes and gaps.
    private func dropIndex(of directory: inout Inode) throws(StorageError) {
        let start = hashStartBlock
        let all = try extents(of: directory, .data)
        let index = all.filter { $0.fileBlock >= start }
        guard !index.isEmpty else { return }
        for record in index { try release(record, .data, of: directory) }
        try setExtents(all.filter { $0.fileBlock < start }, .data, of: &directory)
    }
}
