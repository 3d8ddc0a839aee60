internal import Storage

extension VolumeView {
    var hasFileTypes: Bool { geometry.incompatible.contains(.fileType) }

    /// Throws unless the inode is a directory.
    func requireDirectory(_ inode: Inode) throws(StorageError) {
        guard inode.type == .directory else {
            throw .ext4(.misuse, .notADirectory, "\(inode.name) is not a directory")
        }
    }

    /// Blocks in a directory. Throws when it claims more than the volume has.
    func directoryBlockCount(_ inode: Inode) throws(StorageError) -> UInt64 {
        let count = inode.size(geometry).dividedRoundingUp(by: UInt64(geometry.blockSize))
        guard count <= geometry.blockCount else {
            throw .ext4(
                .corrupt, .badDirectory, "the directory \(inode.name) claims more blocks than the volume has",
                structure: "inode", field: "i_size",
                offset: geometry.byteOffset(of: inode.block) + UInt64(inode.offset))
        }
        return count
    }

    /// A directory's block, its checksum checked. Nil for a hole.
    func directoryBlock(
        _ logical: UInt64, of inode: Inode
    ) throws(StorageError) -> (number: BlockNumber, block: DirectoryBlock)? {
        guard case .written(let number) = try run(of: inode, at: logical).place else { return nil }
        return (number, try directoryBlock(at: number, of: inode))
    }

    /// The directory block at `number`, its checksum checked.
    func directoryBlock(at number: BlockNumber, of inode: Inode) throws(StorageError) -> DirectoryBlock {
        let bytes = try block(number)
        guard geometry.hasMetadataChecksums else {
            return DirectoryBlock(bytes: bytes, range: 0..<bytes.count, hasFileTypes: hasFileTypes)
        }
        if !isVerified(number, as: .directory(inode.number)) {
            let seed = geometry.inodeSeed(inode.number, generation: inode.generation)
            if !DirectoryChecksum.isValid(bytes, seed: seed) {
                try checksumFailure(
                    .directoryChecksum,
                    "the checksum of a block of directory \(inode.name) is wrong; run e2fsck",
                    structure: "directory block", offset: geometry.byteOffset(of: number))
            }
            noteVerified(number, as: .directory(inode.number))
        }
        let end = bytes.count - DirectoryChecksum.reservedLength(bytes)
        return DirectoryBlock(bytes: bytes, range: 0..<end, hasFileTypes: hasFileTypes)
    }

    /// Calls `body` for every entry in use, "." and ".." included, until it returns false. Blocks of a hash
    /// index hold no entries in use, so that an indexed directory is listed like any other.
    func forEachRawEntry(
        of directory: Inode, _ body: (DirectoryBlock, RawDirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        try requireDirectory(directory)
        if let changed = fastCommits?.names[directory.number.rawValue] {
            return try forEachChangedEntry(of: directory, changed, body)
        }
        try forEachStoredEntry(of: directory, body)
    }

    /// Calls `body` for every entry that the directory's own blocks have in use, until it returns false.
    func forEachStoredEntry(
        of directory: Inode, _ body: (DirectoryBlock, RawDirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError) {
        if directory.flags.contains(.inlineData) {
            return try forEachInlineEntry(of: directory, body)
        }
        try forEachBlock(of: directory) { (number, block) throws(StorageError) in
            try forEachEntry(in: block, at: geometry.byteOffset(of: number), of: directory, body)
        }
    }

    /// Calls `body` for every block that a directory has, holes passed over, until it returns false.
    func forEachBlock(
        of directory: Inode, _ body: (BlockNumber, DirectoryBlock) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let end = try directoryBlockCount(directory)
        var logical: UInt64 = 0
        while logical < end {
            let run = try run(of: directory, at: logical)
            if case .written(let first) = run.place {
                for index in 0..<min(run.count, end - logical) {
                    // A block that is in memory is read without a host file.
                    try Cancellation.check()
                    let number = first.advanced(by: index)
                    guard try body(number, try directoryBlock(at: number, of: directory)) else { return }
                }
            }
            guard let next = logical +? run.count else { return }
            logical = next
        }
    }

    /// Calls `body` for the entries in one block; false when it asked to stop.
    func forEachEntry(
        in block: DirectoryBlock, at position: UInt64, of directory: Inode,
        _ body: (DirectoryBlock, RawDirectoryEntry) throws(StorageError) -> Bool
    ) throws(StorageError) -> Bool {
        var offset = block.range.lowerBound
        while offset < block.range.upperBound {
            guard let entry = block.entry(at: offset) else {
                throw .ext4(
                    .corrupt, .badDirectory, "an entry of directory \(directory.name) is damaged; run e2fsck",
                    structure: "directory block", offset: position + UInt64(offset))
            }
            if !entry.isFree {
                guard entry.inode <= geometry.inodeCount else {
                    throw .ext4(
                        .corrupt, .badDirectory,
                        "an entry of directory \(directory.name) names inode \(entry.inode), which does not "
                            + "exist; run e2fsck", structure: "directory block",
                        offset: position + UInt64(offset))
                }
                guard try body(block, entry) else { return false }
            }
            offset += entry.recordLength
        }
        return true
    }
}
