internal import Storage

extension VolumeView {
    var directoryLayout: DirectoryLayout { DirectoryLayout(geometry) }

    /// Calls `body` for every entry in use ("." and ".." left out) until it returns false.
    func forEachName(
        of directory: Inode, _ body: (RawDirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        try requireDirectory(directory)
        if directory.format(.data) == .local {
            let list = try shortDirectory(directory)
            for entry in list.entries where try !body(entry.entry) { return }
            return
        }
        let dot = UInt8(ascii: ".")
        // Both once; another one is a name like any other, which readers refuse.
        var left: Set<[UInt8]> = [[dot], [dot, dot]]
        try forEachDataBlock(of: directory) { (_, _, block) throws(StorageError) in
            try forEachEntry(in: block, of: directory) { (entry, _) throws(StorageError) in
                entry.name.count <= 2 && left.remove(entry.name) != nil ? true : try body(entry)
            }
        }
    }

    func requireDirectory(_ inode: Inode) throws(StorageError) {
        guard inode.type == .directory else {
            throw .xfs(.misuse, .notADirectory, "\(inode.name) is not a directory")
        }
    }

    /// The blocks that hold entries, with their number in the directory and their places on the device.
    func forEachDataBlock(
        of directory: Inode,
        _ body: (UInt64, UInt64, DirectoryDataBlock) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let perBlock = UInt64(geometry.blocksPerDirectoryBlock)
        let end = min(directory.size, DirectoryLayout.hashStart) / UInt64(geometry.blockSize)
        var next: UInt64 = 0
        var left = geometry.blockCount
        while next < end {
            // A block that is in memory is read without a host file.
            try Cancellation.check()
            let run = try run(of: directory, at: next)
            guard case .written = run.place else {
                guard run.place == .hole else { throw badDirectory(directory, directory.position) }
                // Holes of a directory are whole blocks of it.
                next = (run.end / perBlock) * perBlock
                guard next > run.start else { throw badDirectory(directory, directory.position) }
                continue
            }
            guard left >= perBlock else { throw badDirectory(directory, directory.position) }
            left -= perBlock
            let (position, block) = try dataBlock(next / perBlock, of: directory)
            guard try body(next / perBlock, position, block) else { return }
            next += perBlock
        }
    }

    /// A block of a directory, put together where it lies in several places; with the place of its first byte.
    func directoryBlock(
        _ number: UInt64, of directory: Inode
    ) throws(StorageError) -> (position: UInt64, bytes: [UInt8]) {
        let wanted = UInt64(geometry.blocksPerDirectoryBlock)
        var first: UInt64?
        var bytes: [UInt8] = []
        var done: UInt64 = 0
        while done < wanted {
            let run = try run(of: directory, at: number * wanted + done)
            guard case .written(let block) = run.place else {
                throw badDirectory(directory, directory.position)
            }
            let count = min(run.count, wanted - done)
            let position = geometry.position(of: block)
            first = first ?? position
            let part = try buffer(at: position, count: Int(count) * geometry.blockSize)
            bytes = bytes.isEmpty ? part : bytes + part
            done += count
        }
        return (first ?? 0, bytes)
    }

    /// A block with entries, its header checked.
    func dataBlock(
        _ number: UInt64, of directory: Inode
    ) throws(StorageError) -> (position: UInt64, block: DirectoryDataBlock) {
        let (position, bytes) = try directoryBlock(number, of: directory)
        let layout = directoryLayout
        let magic: UInt32 = bytes.big(0)
        var end = bytes.count
        switch magic {
        case layout.singleBlockMagic:
            let count = Int(bytes.big(bytes.count - 8, as: UInt32.self))
            let room = (bytes.count - 8 - layout.dataHeaderSize) / 8
            guard number == 0, count <= room else { throw badDirectory(directory, position) }
            end = bytes.count - 8 - count * 8
        case layout.dataMagic: break
        default: throw badDirectory(directory, position)
        }
        try verify(
            bytes, .directory, owner: directory.number.rawValue, at: position, code: .badDirectory,
            checksumCode: .directoryChecksum, structure: "directory block")
        return (position, DirectoryDataBlock(bytes: bytes, layout: layout, end: end))
    }

    /// Entries of one block with their offsets; false when `body` asked to stop.
    func forEachEntry(
        in block: DirectoryDataBlock, of directory: Inode,
        _ body: (RawDirectoryEntry, Int) throws(StorageError) -> Bool
    ) throws(StorageError) -> Bool {
        var offset = block.layout.dataHeaderSize
        while offset < block.end {
            if block.end - offset >= 8,
                block.bytes.big(offset, as: UInt16.self) == DirectoryLayout.freeTag
            {
                let length = Int(block.bytes.big(offset + 2, as: UInt16.self))
                guard length >= 8, length % 8 == 0, length <= block.end - offset else {
                    throw badDirectory(directory, directory.position)
                }
                offset += length
                continue
            }
            guard let (entry, size) = block.entry(at: offset) else {
                throw badDirectory(directory, directory.position)
            }
            guard geometry.contains(entry.inode) else {
                throw .xfs(
                    .corrupt, .badDirectory,
                    "an entry of directory \(directory.name) names inode \(entry.inode.rawValue), which does not "
                        + "exist; run xfs_repair", structure: "directory block", offset: directory.position)
            }
            guard try body(entry, offset) else { return false }
            offset += size
        }
        return true
    }

    func badDirectory(_ directory: Inode, _ position: UInt64) -> StorageError {
        .xfs(
            .corrupt, .badDirectory, "directory \(directory.name) is damaged; run xfs_repair",
            structure: "directory block", offset: position)
    }
}
