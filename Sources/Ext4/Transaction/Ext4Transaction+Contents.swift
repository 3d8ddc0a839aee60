package import Storage

extension Ext4Transaction {
    /// Up to this many blocks are written over where they are, through the journal; more go to new blocks, so
    /// that they need not pass through it.
    private static var blocksWrittenOver: UInt64 { 64 }

    /// Replaces a regular file's contents. Inode, mode, owner, flags and extended attributes stay.
    package func replaceContents(of file: FileID, with contents: [UInt8]) throws(StorageError) {
        try perform { () throws(StorageError) in
            var inode = try inode(file)
            try requireWritableContents(inode)
            if try contents == currentContents(of: inode, ifCount: contents.count) { return }
            if try !replaceInline(contents, in: &inode) { try replaceBlocks(contents, in: &inode) }
            inode.setSize(UInt64(contents.count), geometry)
            try noteSize(UInt64(contents.count), of: inode)
            touch(&inode, contents: true)
            try store(inode)
        }
    }

    /// The contents as they are when they have `count` bytes, else nil.
    private func currentContents(of inode: Inode, ifCount count: Int) throws(StorageError) -> [UInt8]? {
        guard inode.size(geometry) == UInt64(count) else { return nil }
        var result = [UInt8](repeating: 0, count: count)
        _ = try result.withMutableBytes { (span) throws(StorageError) in try read(inode, into: &span, at: 0) }
        return result
    }

    /// Puts contents into blocks: those the file has as far as they go, or all new ones.
    func replaceBlocks(_ contents: [UInt8], in inode: inout Inode) throws(StorageError) {
        let blockSize = geometry.blockSize
        let needed = UInt64(contents.count.dividedRoundingUp(by: blockSize))
        let before = try map(of: inode)
        var after = before
        let surplus = after.removeRuns(from: needed)
        var canMove = false
        if target.journal != nil, needed > Self.blocksWrittenOver { canMove = try hasRoom(for: needed) }
        if canMove {
            for run in after.runs { try free(run) }
            after.runs = []
        }
        // Holes and everything behind the old end get new blocks; preallocated ones become written.
        after = try filled(after, from: 0, to: needed, near: goal(for: inode))
        for run in surplus { try free(run) }
        for run in after.runs {
            guard let first = run.firstBlock else { continue }
            for index in 0..<run.count {
                let from = Int(run.logical + index) * blockSize
                let part = contents[from..<min(from + blockSize, contents.count)]
                let bytes = part + [UInt8](repeating: 0, count: blockSize - part.count)
                try store(Array(bytes), at: first.advanced(by: index), role: .data)
            }
        }
        inode.flags.remove(.endOfFileBlocks)
        try store(after, replacing: before, in: &inode)
    }

    /// A map of blocks `start` to `end` alone, with every one of them allocated and written.
    func filled(
        _ map: FileMap, from start: UInt64, to end: UInt64, near goal: BlockNumber
    ) throws(StorageError) -> FileMap {
        var result = FileMap(runs: [], treeBlocks: map.treeBlocks)
        var logical = start
        var goal = goal
        for run in map.runs + [MappedRun(logical: end, count: 0, place: .hole)] {
            if logical < run.logical {
                for blocks in try allocate(run.logical - logical, near: goal) {
                    result.append(
                        MappedRun(
                            logical: logical, count: blocks.count, place: .written(blocks.lowerBound)))
                    logical += blocks.count
                    goal = blocks.upperBound
                }
            }
            guard let first = run.firstBlock else { continue }
            result.append(MappedRun(logical: run.logical, count: run.count, place: .written(first)))
            logical = run.end
            goal = first.advanced(by: run.count)
        }
        return result
    }

    /// Whether `count` more blocks, and a few for the tree, are free.
    private func hasRoom(for count: UInt64) throws(StorageError) -> Bool {
        let free = Int64(clamping: superblock.freeBlockCount) + freeBlockChange
        return free > Int64(clamping: count + count / 64 + 16)
    }

    /// Gives a run's blocks back.
    func free(_ run: MappedRun) throws(StorageError) {
        guard let first = run.firstBlock else { return }
        try free(Range(first, count: run.count))
    }
}
