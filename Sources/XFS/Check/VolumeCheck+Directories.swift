internal import Storage

extension VolumeCheck {
    /// What a directory keeps of itself: gaps between entries, the list of the longest gap of each block, hashes in order, counts
    /// of those that are gone. The kernel refuses a directory in which it is wrong, or puts entries where others lie.
    func checkBlocks(_ directory: Inode) throws(StorageError) {
        let layout = view.directoryLayout
        guard directory.format(.data) != .local else {
            guard try view.shortDirectory(directory).isSound(layout) else {
                throw view.badDirectory(directory, directory.position)
            }
            return
        }
        var longest: [UInt64: Int] = [:]
        try view.forEachDataBlock(of: directory) { (number, position, block) throws(StorageError) in
            guard block.isSound else { throw view.badDirectory(directory, position) }
            guard longest.count < limits.directoryBlocks else {
                throw .memoryBound(
                    "xfs",
                    "\(directory.name) has more than \(limits.directoryBlocks) blocks of names, so their gaps were not checked; use xfs_repair",
                    structure: "directory", offset: directory.position)
            }
            longest[number] = block.longestGap
            if number == 0 { try checkOwnEntries(in: block, directory) }
            if block.isSingle { try checkHashes(of: block, directory, position) }
            return true
        }
        // The kernel does not look "." up, xfs_repair does.
        if !geometry.foldsCase,
            try view.findByHash([UInt8(ascii: ".")], in: directory)?.entry.inode != directory.number
        {
            say(directory, "does not find itself by its hash")
        }
        guard try !view.isSingleBlock(directory) else { return }
        let gaps = try view.gaps(of: directory)
        // A block that is not there has no gap.
        let isListed =
            longest.keys.allSatisfy { $0 < UInt64(gaps.count) }
            && gaps.indices.allSatisfy { index in
                longest[UInt64(index)].map { $0 == Int(gaps[index]) }
                    ?? (gaps[index] == DirectoryLayout.noBlock)
            }
        if !isListed { say(directory, "lists gaps that its blocks have not") }
        let root = try view.rootBlock(directory)
        if root.kind == .node {
            let start = UInt32(clamping: view.hashStartBlock)
            let isSound = try view.isSoundTree(root, at: start) { (number) throws(StorageError) in
                try view.hashBlock(UInt64(number), ofDirectory: directory)
            }
            guard isSound else { throw view.badDirectory(directory, root.position) }
        }
        try checkLeaves(directory)
    }

    /// "." and "..", which readers leave out: both are of directories.
    private func checkOwnEntries(
        in block: DirectoryDataBlock, _ directory: Inode
    ) throws(StorageError) {
        guard geometry.hasFileTypes else { return }
        let dot = UInt8(ascii: ".")
        _ = try view.forEachEntry(in: block, of: directory) { (entry, _) throws(StorageError) in
            if [[dot], [dot, dot]].contains(entry.name), entry.type != .directory {
                say(directory, "does not call itself or the one above a directory")
            }
            return true
        }
    }

    private func say(_ directory: Inode, _ text: String) {
        sink.add(
            .directoryEntry, "directory \(directory.name) \(text)", structure: "directory",
            offset: directory.position, inode: directory.number)
    }

    /// The hashes behind the entries of a directory of one block.
    private func checkHashes(
        of block: DirectoryDataBlock, _ directory: Inode, _ position: UInt64
    ) throws(StorageError) {
        let (start, count) = block.hashes
        var gone: UInt32 = 0
        var last: UInt32 = 0
        for index in 0..<count {
            let hash: UInt32 = block.bytes.big(start + index * 8)
            if block.bytes.big(start + index * 8 + 4, as: UInt32.self) == 0 { gone += 1 }
            guard hash >= last else { throw view.badDirectory(directory, position) }
            last = hash
        }
        guard block.bytes.big(block.bytes.count - 4) == gone else {
            throw view.badDirectory(directory, position)
        }
    }

    /// The leaves of hashes, from the left.
    private func checkLeaves(_ directory: Inode) throws(StorageError) {
        var leaf = try view.firstLeaf(of: directory)
        var seen: Set<UInt32> = []
        var last: UInt32 = 0
        var before: UInt32?
        while true {
            var gone = 0
            for index in 0..<leaf.count {
                guard leaf.hash(index) >= last else { throw view.badDirectory(directory, leaf.position) }
                last = leaf.hash(index)
                if leaf.value(index) == 0 { gone += 1 }
            }
            let field = geometry.hasChecksums ? 58 : 14
            guard Int(leaf.bytes.big(field, as: UInt16.self)) == gone else {
                throw view.badDirectory(directory, leaf.position)
            }
            let number = leaf.next
            guard let next = try view.leaf(behind: leaf, of: directory, &seen) else { return }
            // Each says which one is at its left.
            if let before, next.bytes.big(4) != before { throw view.badDirectory(directory, next.position) }
            before = number
            leaf = next
        }
    }
}
