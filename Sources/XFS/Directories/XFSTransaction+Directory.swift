internal import Storage

/// Entries of directories that come and go, whatever the form: in the inode, one block, blocks with a leaf of hashes, blocks
/// with a tree of them. Forms grow as they have to; a directory whose entries fit into the inode goes back there, as the
/// kernel takes none in blocks for empty.
extension XFSTransaction {
    private static let dot = UInt8(ascii: ".")

    /// Adds a name, which is not there.
    func addName(
        _ name: [UInt8], _ inode: InodeNumber, _ type: FileType, to directory: inout Inode
    ) throws(StorageError) {
        let entry = RawDirectoryEntry(name: name, inode: inode, type: geometry.hasFileTypes ? type : nil)
        if directory.format(.data) == .local {
            var list = try shortDirectory(directory)
            if list.append(entry, directoryLayout), putShort(list, into: &directory) { return }
            try makeBlockDirectory(&directory)
        }
        if try isSingleBlock(directory) {
            if try addToBlock(entry, &directory) { return }
            try makeLeafDirectory(&directory)
        }
        try addToIndexed(entry, &directory)
    }

    /// Removes a name, which is there.
    func removeName(_ name: [UInt8], from directory: inout Inode) throws(StorageError) {
        if directory.format(.data) == .local {
            var list = try shortDirectory(directory)
            list.entries.removeAll { $0.entry.name == name }
            guard putShort(list, into: &directory) else {
                throw badDirectory(directory, directory.position)
            }
            return
        }
        guard let found = try findByHash(name, in: directory) else {
            throw badDirectory(directory, directory.position)
        }
        let hash = NameHash.of(name)
        let address = UInt32(
            (found.block * UInt64(geometry.directoryBlockSize) + UInt64(found.offset)) / 8)
        var block = try editedBlock(found.block, of: directory)
        guard block.remove(at: found.offset) else { throw badDirectory(directory, directory.position) }
        if try isSingleBlock(directory) {
            let hashes = try blockHashes(directory).filter { $0.hash != hash || $0.address != address }
            block.setHashes(hashes)
            try put(&block, 0, of: directory)
        } else {
            try dropHash(hash, address, in: directory)
            if block.used.isEmpty, found.block > 0 {
                // A block without entries is damage but for the first.
                try dropDataBlock(found.block, of: &directory)
            } else {
                try put(&block, found.block, of: directory)
                try noteGap(block.longestGap, of: found.block, in: directory)
            }
        }
        try shorten(&directory)
    }

    /// Lets a name, which is there, stand for another file.
    func replaceName(
        _ name: [UInt8], by inode: InodeNumber, _ type: FileType, in directory: inout Inode
    ) throws(StorageError) {
        if directory.format(.data) == .local {
            var list = try shortDirectory(directory)
            if name == [Self.dot, Self.dot] {
                list.parent = inode
            } else if let index = list.entries.firstIndex(where: { $0.entry.name == name }) {
                list.entries[index].entry = RawDirectoryEntry(
                    name: name, inode: inode, type: geometry.hasFileTypes ? type : nil)
            }
            if putShort(list, into: &directory) { return }
            // Numbers of eight bytes may have no room.
            try makeBlockDirectory(&directory, list)
            return
        }
        guard let found = try findByHash(name, in: directory) else {
            throw badDirectory(directory, directory.position)
        }
        var block = try editedBlock(found.block, of: directory)
        block.setFile(inode, type, at: found.offset)
        try put(&block, found.block, of: directory)
    }

    // MARK: In the inode

    /// False where the fork has no room.
    func putShort(_ list: ShortDirectory, into directory: inout Inode) -> Bool {
        let bytes = list.bytes(hasFileTypes: geometry.hasFileTypes)
        let range = directory.range(.data)
        guard bytes.count <= range.count, list.entries.count <= 255 else { return false }
        directory.bytes.replaceSubrange(
            range, with: bytes + [UInt8](repeating: 0, count: range.count - bytes.count))
        directory.bytes.storeBig(UInt64(bytes.count), at: Inode.Offset.size)
        directory.setFormat(.local, .data)
        directory.setExtentCount(0, .data)
        return true
    }

    /// Puts a directory's entries back into the inode where they fit.
    private func shorten(_ directory: inout Inode) throws(StorageError) {
        var list = ShortDirectory(parent: InodeNumber(0))
        let room = directory.range(.data).count
        var size = 6
        var fits = true
        let layout = directoryLayout
        try forEachName(of: directory) { (entry) throws(StorageError) in
            size += entry.name.count + 7 + (geometry.hasFileTypes ? 1 : 0)
            fits = size <= room && list.append(entry, layout)
            return fits
        }
        guard fits else { return }
        guard let parent = try find([Self.dot, Self.dot], in: directory) else {
            throw badDirectory(directory, directory.position)
        }
        list.parent = parent
        var short = directory
        guard list.bytes(hasFileTypes: geometry.hasFileTypes).count <= room else { return }
        try dropContents(of: &short)
        guard putShort(list, into: &short) else { return }
        directory = short
    }

    /// Moves the entries of a short directory into a block.
    func makeBlockDirectory(
        _ directory: inout Inode, _ list: ShortDirectory? = nil
    ) throws(StorageError) {
        let list = if let list { list } else { try shortDirectory(directory) }
        let layout = directoryLayout
        let type: FileType? = geometry.hasFileTypes ? .directory : nil
        var entries = [
            RawDirectoryEntry(name: [Self.dot], inode: directory.number, type: type),
            RawDirectoryEntry(name: [Self.dot, Self.dot], inode: list.parent, type: type),
        ]
        entries += list.entries.map(\.entry)
        let range = directory.range(.data)
        directory.bytes.replaceSubrange(range, with: [UInt8](repeating: 0, count: range.count))
        directory.setFormat(.extents, .data)
        directory.setExtentCount(0, .data)
        try addDirectoryBlock(0, to: &directory)
        var block = EditedDataBlock(empty: layout, magic: layout.singleBlockMagic)
        var hashes: [NameAddress] = []
        block.setEnd(layout.blockSize - 8 - entries.count * 8)
        for entry in entries {
            guard let offset = block.insert(entry) else {
                throw .xfs(.refused, .directoryFull, "\(directory.name) does not fit into a block")
            }
            hashes.insert(
                sorted: NameAddress(hash: NameHash.of(entry.name), address: UInt32(offset / 8)))
        }
        block.setHashes(hashes)
        directory.bytes.storeBig(UInt64(layout.blockSize), at: Inode.Offset.size)
        try put(&block, 0, of: directory)
    }

    // MARK: One block

    /// Hashes of a directory of one block, without those that are gone.
    private func blockHashes(_ directory: Inode) throws(StorageError) -> [NameAddress] {
        let (_, block) = try dataBlock(0, of: directory)
        guard block.isSingle else { throw badDirectory(directory, directory.position) }
        let (start, count) = block.hashes
        return (0..<count).map {
            NameAddress(hash: block.bytes.big(start + $0 * 8), address: block.bytes.big(start + $0 * 8 + 4))
        }.filter { $0.address != 0 }
    }

    /// False where the block has no room.
    private func addToBlock(
        _ entry: RawDirectoryEntry, _ directory: inout Inode
    ) throws(StorageError) -> Bool {
        var hashes = try blockHashes(directory)
        var block = try editedBlock(0, of: directory)
        let end = directoryLayout.blockSize - 8 - (hashes.count + 1) * 8
        guard block.hasRoom(entry.name.count, before: end) else { return false }
        block.setEnd(end)
        guard let offset = block.insert(entry) else { return false }
        hashes.insert(sorted: NameAddress(hash: NameHash.of(entry.name), address: UInt32(offset / 8)))
        block.setHashes(hashes)
        try put(&block, 0, of: directory)
        return true
    }

    /// Moves the hashes of a directory of one block into a leaf.
    private func makeLeafDirectory(_ directory: inout Inode) throws(StorageError) {
        let hashes = try blockHashes(directory)
        var block = try editedBlock(0, of: directory)
        block.setMagic(directoryLayout.dataMagic)
        block.setEnd(directoryLayout.blockSize)
        try put(&block, 0, of: directory)
        try layIndexOut(hashes, gaps: [UInt16(block.longestGap)], in: &directory)
    }

    // MARK: Blocks

    func editedBlock(_ number: UInt64, of directory: Inode) throws(StorageError) -> EditedDataBlock {
        let (position, block) = try dataBlock(number, of: directory)
        guard let edited = EditedDataBlock(block) else { throw badDirectory(directory, position) }
        return edited
    }

    /// Stores a block with entries.
    func put(
        _ block: inout EditedDataBlock, _ number: UInt64, of directory: Inode
    ) throws(StorageError) {
        guard block.settle() else { throw badDirectory(directory, directory.position) }
        let isSingle = block.bytes.big(0) == directoryLayout.singleBlockMagic
        try put(block.bytes, number, of: directory, isSingle ? .directoryBlock : .directoryData)
    }

    /// Stores a block of a directory, with what version 5 says of it.
    func put(
        _ bytes: [UInt8], _ number: UInt64, of directory: Inode, _ type: BufferType
    ) throws(StorageError) {
        let perBlock = UInt64(geometry.blocksPerDirectoryBlock)
        let run = try run(of: directory, at: number * perBlock)
        guard case .written(let first) = run.place, run.count >= perBlock else {
            throw .xfs(
                .refused, .directoryFragmented,
                "a block of directory \(directory.name) lies in several pieces, which is not changed here",
                structure: "directory block")
        }
        var bytes = bytes
        let position = geometry.position(of: first)
        let isHashes = type == .directoryLeaf || type == .directoryTreeLeaf || type == .hashNode
        stamp(&bytes, isHashes ? .hashTree : .directory, owner: directory.number.rawValue, at: position)
        store(bytes, at: position, type)
    }

    /// Gives a directory another block, all in one piece.
    func addDirectoryBlock(_ number: UInt64, to directory: inout Inode) throws(StorageError) {
        let perBlock = UInt32(geometry.blocksPerDirectoryBlock)
        let run = try takeBlocks(
            BlockRequest(count: perBlock, minimum: perBlock, isMetadata: true),
            near: geometry.group(of: directory.number))
        let place = number * UInt64(perBlock)
        try addOwner(run, BlockOwner(directory.number, .data, fileBlock: place))
        let record = ExtentRecord(
            isUnwritten: false, fileBlock: place,
            block: geometry.block(AGBlock(run.start), in: run.group), count: UInt64(run.count))
        var records = try extents(of: directory, .data)
        let index = records.indices.firstIndex(sortedBy: { records[$0].fileBlock > place })
        records.insert(record, at: index)
        try setExtents(records, .data, of: &directory)
    }
}
