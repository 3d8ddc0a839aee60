internal import Storage

/// Where a name was found in a directory.
struct FoundEntry: Sendable {
    var inode: InodeNumber
    var typeCode: UInt8
    /// The block; nil for an entry of an inline directory.
    var number: BlockNumber?
    /// Its place in the block.
    var offset: Int
}

extension VolumeView {
    /// The entry that `name` has in a directory, or nil: by the hash index where there is one.
    func find(_ name: [UInt8], in directory: Inode) throws(StorageError) -> FoundEntry? {
        try requireDirectory(directory)
        if let known = changedEntry(name, in: directory) { return known }
        let dot = UInt8(ascii: ".")
        if name != [dot], name != [dot, dot], let (start, hash) = try indexPath(of: directory, for: name) {
            var path = start
            let end = try directoryBlockCount(directory)
            repeat {
                try Cancellation.check()
                guard path.leaf < end, let (number, leaf) = try directoryBlock(path.leaf, of: directory)
                else {
                    return nil
                }
                if let found = try find(name, in: leaf, number, of: directory) { return found }
            } while try nextLeaf(&path, hash: hash, of: directory)
            return nil
        }
        guard !directory.flags.contains(.inlineData) else { return try findInline(name, in: directory) }
        var found: FoundEntry?
        try forEachBlock(of: directory) { (number, block) throws(StorageError) in
            found = try find(name, in: block, number, of: directory)
            return found == nil
        }
        return found
    }

    private func find(
        _ name: [UInt8], in block: DirectoryBlock, _ number: BlockNumber, of directory: Inode
    ) throws(StorageError) -> FoundEntry? {
        var found: FoundEntry?
        _ = try forEachEntry(in: block, at: geometry.byteOffset(of: number), of: directory) {
            (block, entry) throws(StorageError) in
            guard block.hasName(entry, name) else { return true }
            found = FoundEntry(
                inode: InodeNumber(entry.inode), typeCode: entry.typeCode, number: number,
                offset: entry.offset)
            return false
        }
        return found
    }

    private func findInline(_ name: [UInt8], in directory: Inode) throws(StorageError) -> FoundEntry? {
        if name == [UInt8(ascii: ".")] {
            return FoundEntry(inode: directory.number, typeCode: 2, number: nil, offset: 0)
        }
        var found: FoundEntry?
        try forEachInlineEntry(of: directory) { (block, entry) throws(StorageError) in
            guard block.hasName(entry, name) else { return true }
            found = FoundEntry(
                inode: InodeNumber(entry.inode), typeCode: entry.typeCode, number: nil, offset: entry.offset)
            return false
        }
        return found
    }
}
