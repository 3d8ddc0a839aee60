internal import Storage

extension VolumeView {
    /// The entry called `name` in `directory`, or nil. "." and ".." work.
    func find(_ name: [UInt8], in directory: Inode) throws(StorageError) -> InodeNumber? {
        try requireDirectory(directory)
        let dot = UInt8(ascii: ".")
        if name == [dot] { return directory.number }
        if directory.format(.data) == .local {
            let list = try shortDirectory(directory)
            if name == [dot, dot] { return list.parent }
            return list.entries.first { isName($0.entry.name, name) }?.entry.inode
        }
        // Of letters beyond ASCII the kernel and older xfsprogs make different hashes: all entries are looked at.
        if geometry.foldsCase, name.contains(where: { $0 >= 0x80 }) {
            return try findByReading(name, in: directory)
        }
        return try findByHash(name, in: directory)?.entry.inode
    }

    private func isName(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard geometry.foldsCase else { return left == right }
        return left.elementsEqual(right) { Self.folded($0) == Self.folded($1) }
    }

    /// As the kernel folds names of `version=ci` (xfs_ascii_ci_xfrm): capitals of ASCII, and of ISO 8859-1 too.
    private static func folded(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x41...0x5a, 0xc0...0xd6, 0xd8...0xde: byte | 0x20
        default: byte
        }
    }

    private func findByReading(_ name: [UInt8], in directory: Inode) throws(StorageError) -> InodeNumber? {
        var found: InodeNumber?
        try forEachDataBlock(of: directory) { (_, _, block) throws(StorageError) in
            try forEachEntry(in: block, of: directory) { (entry, _) throws(StorageError) in
                if isName(entry.name, name) { found = entry.inode }
                return found == nil
            }
        }
        return found
    }

    /// An entry and where it lies: the block of the directory, and the byte in it.
    typealias FoundEntry = (entry: RawDirectoryEntry, block: UInt64, offset: Int)

    /// Goes by the hashes: at the end of a directory of one block, in the leaf, or down the tree to it.
    func findByHash(_ name: [UInt8], in directory: Inode) throws(StorageError) -> FoundEntry? {
        let hash = geometry.foldsCase ? NameHash.of(name.map(Self.folded)) : NameHash.of(name)
        if case .hole = try run(of: directory, at: hashStartBlock).place {
            let (_, block) = try dataBlock(0, of: directory)
            guard block.isSingle else { throw badDirectory(directory, directory.position) }
            let (start, count) = block.hashes
            var index = (0..<count).firstIndex(sortedBy: {
                block.bytes.big(start + $0 * 8, as: UInt32.self) >= hash
            })
            while index < count, block.bytes.big(start + index * 8) == hash {
                let address: UInt32 = block.bytes.big(start + index * 8 + 4)
                if let found = try entry(at: address, of: directory), isName(found.entry.name, name) {
                    return found
                }
                index += 1
            }
            return nil
        }
        guard var leaf = try hashLeaf(for: hash, of: directory) else { return nil }
        var index = leaf.firstIndex(of: hash)
        var seen: Set<UInt32> = []
        while true {
            while index < leaf.count, leaf.hash(index) == hash {
                if let found = try entry(at: leaf.value(index), of: directory), isName(found.entry.name, name)
                {
                    return found
                }
                index += 1
            }
            // Entries of one hash may go on in the next leaf.
            guard index == leaf.count, let next = try self.leaf(behind: leaf, of: directory, &seen) else {
                return nil
            }
            leaf = next
            index = leaf.firstIndex(of: hash)
        }
    }

    /// The next leaf at the right; nil behind the last one. `seen` are those that a walk went over: it goes in no circles.
    func leaf(
        behind leaf: HashBlock, of directory: Inode, _ seen: inout Set<UInt32>
    ) throws(StorageError) -> HashBlock? {
        guard leaf.kind == .leaf, leaf.next != 0 else { return nil }
        guard seen.insert(leaf.next).inserted,
            let next = try hashBlock(UInt64(leaf.next), ofDirectory: directory), next.kind == .leaf
        else { throw badDirectory(directory, leaf.position) }
        return next
    }

    /// The first block of hashes, in blocks of the directory's file.
    var hashStartBlock: UInt64 { DirectoryLayout.hashStart / UInt64(geometry.blockSize) }

    /// The leaf whose hashes reach to `hash`; nil where all are below.
    private func hashLeaf(for hash: UInt32, of directory: Inode) throws(StorageError) -> HashBlock? {
        guard var block = try hashBlock(hashStartBlock, ofDirectory: directory) else {
            throw badDirectory(directory, directory.position)
        }
        var level: Int?
        while block.kind == .node {
            guard (1...5).contains(block.level), level.map({ block.level == $0 - 1 }) ?? true else {
                throw badDirectory(directory, block.position)
            }
            level = block.level
            let index = block.firstIndex(of: hash)
            guard index < block.count else { return nil }
            guard let below = try hashBlock(UInt64(block.value(index)), ofDirectory: directory) else {
                throw badDirectory(directory, block.position)
            }
            block = below
        }
        guard level.map({ $0 == 1 && block.kind == .leaf }) ?? true else {
            throw badDirectory(directory, block.position)
        }
        return block
    }

    /// The entry that a hash's address names; nil for a stale one.
    private func entry(at address: UInt32, of directory: Inode) throws(StorageError) -> FoundEntry? {
        guard address != 0 else { return nil }
        let byte = UInt64(address) * 8
        let size = UInt64(geometry.directoryBlockSize)
        guard byte < DirectoryLayout.hashStart else { throw badDirectory(directory, directory.position) }
        let (position, block) = try dataBlock(byte / size, of: directory)
        guard let (entry, _) = block.entry(at: Int(byte % size)), geometry.contains(entry.inode) else {
            throw badDirectory(directory, position)
        }
        return (entry, byte / size, Int(byte % size))
    }
}
