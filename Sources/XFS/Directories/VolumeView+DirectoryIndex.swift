internal import Storage

/// Hashes and gaps of a directory of several blocks, as they are read.
extension VolumeView {
    var hashStart: UInt64 { DirectoryLayout.hashStart / UInt64(geometry.directoryBlockSize) }
    var gapStart: UInt64 { DirectoryLayout.freeStart / UInt64(geometry.directoryBlockSize) }
    var perBlock: UInt64 { UInt64(geometry.blocksPerDirectoryBlock) }

    /// Whether a directory has its hashes behind its entries, in one block.
    func isSingleBlock(_ directory: Inode) throws(StorageError) -> Bool {
        if case .hole = try run(of: directory, at: hashStartBlock).place { return true }
        return false
    }

    /// The block where the hashes begin.
    func rootBlock(_ directory: Inode) throws(StorageError) -> HashBlock {
        guard let root = try hashBlock(hashStartBlock, ofDirectory: directory) else {
            throw badDirectory(directory, directory.position)
        }
        return root
    }

    /// The longest gap of each block with entries.
    func gaps(of directory: Inode) throws(StorageError) -> [UInt16] {
        let root = try rootBlock(directory)
        if root.kind == .singleLeaf {
            let size = root.bytes.count
            let count = Int(root.bytes.big(size - 4, as: UInt32.self))
            guard count <= (size - root.start - 4 - root.count * 8) / 2 else {
                throw badDirectory(directory, root.position)
            }
            return (0..<count).map { root.bytes.big(size - 4 - (count - $0) * 2) }
        }
        var result: [UInt16] = []
        let layout = directoryLayout
        while true {
            let number = UInt64(result.count / layout.freeSpaceCapacity)
            guard case .written = try run(of: directory, at: (gapStart + number) * perBlock).place else {
                return result
            }
            let (bytes, position) = try gapBlock(number, of: directory)
            let count = Int(bytes.big(layout.hasChecksums ? 52 : 8, as: UInt32.self))
            guard count <= layout.freeSpaceCapacity else { throw badDirectory(directory, position) }
            for index in 0..<count {
                result.append(bytes.big(layout.freeSpaceHeaderSize + index * 2))
            }
            guard count == layout.freeSpaceCapacity else { return result }
        }
    }

    func gapBlock(
        _ number: UInt64, of directory: Inode
    ) throws(StorageError) -> (bytes: [UInt8], position: UInt64) {
        let (position, bytes) = try directoryBlock(gapStart + number, of: directory)
        let layout = directoryLayout
        // It says whose gaps it lists: no block stands for several lists.
        guard bytes.big(0) == layout.freeSpaceMagic,
            UInt64(bytes.big(layout.hasChecksums ? 48 : 4, as: UInt32.self))
                == number * UInt64(layout.freeSpaceCapacity)
        else { throw badDirectory(directory, position) }
        try verify(
            bytes, .directory, owner: directory.number.rawValue, at: position, code: .badDirectory,
            checksumCode: .directoryChecksum, structure: "directory block")
        return (bytes, position)
    }

    /// The leaf of the lowest hashes.
    func firstLeaf(of directory: Inode) throws(StorageError) -> HashBlock {
        var block = try rootBlock(directory)
        var level: Int?
        while block.kind == .node {
            guard (1...5).contains(block.level), block.count > 0,
                level.map({ block.level == $0 - 1 }) ?? true,
                let below = try hashBlock(UInt64(block.value(0)), ofDirectory: directory)
            else { throw badDirectory(directory, block.position) }
            level = block.level
            block = below
        }
        return block
    }

    /// All hashes but those that are gone.
    func hashes(of directory: Inode) throws(StorageError) -> [NameAddress] {
        var block = try firstLeaf(of: directory)
        var result: [NameAddress] = []
        var seen: Set<UInt32> = []
        while true {
            for index in 0..<block.count where block.value(index) != 0 {
                result.append(NameAddress(hash: block.hash(index), address: block.value(index)))
            }
            guard let next = try leaf(behind: block, of: directory, &seen) else { return result }
            block = next
        }
    }
}
