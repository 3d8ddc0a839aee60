package import Storage

extension XFSTransaction {
    /// What is written at once: contents are held in memory until the commit.
    static let contentsLimit = 1 << 30

    /// Replaces the contents of a regular file: new blocks, and the old ones are given back, or left to the files that
    /// share them.
    package func replaceContents(of file: FileID, with contents: [UInt8]) throws(StorageError) {
        try perform { () throws(StorageError) in
            var inode = try inode(file)
            guard inode.type == .regular else {
                throw .xfs(.misuse, .notARegularFile, "\(inode.name) is not a regular file")
            }
            try requireChangeable(inode)
            try dropContents(of: &inode)
            try putContents(contents, into: &inode)
            touch(&inode, contents: true)
            try store(inode)
        }
    }

    /// Gives a file without blocks its contents.
    func putContents(_ contents: [UInt8], into inode: inout Inode) throws(StorageError) {
        guard contents.count <= Self.contentsLimit else {
            throw .memoryBound("xfs", "\(contents.count) bytes are more than are written at once")
        }
        let records = try place(contents, at: 0, of: inode)
        try setExtents(records, .data, of: &inode)
        inode.bytes.storeBig(UInt64(contents.count), at: Inode.Offset.size)
    }

    /// Puts bytes into new blocks, for a file from one of its blocks on. What lies behind them in the last block is zero.
    func place(
        _ contents: [UInt8], at fileBlock: UInt64, of inode: Inode
    ) throws(StorageError) -> [ExtentRecord] {
        let blockSize = geometry.blockSize
        var left = contents.count.dividedRoundingUp(by: blockSize)
        let near = geometry.group(of: inode.number)
        var records: [ExtentRecord] = []
        var done = 0
        while left > 0 {
            let run = try takeBlocks(BlockRequest(count: UInt32(clamping: left)), near: near)
            let first = geometry.block(AGBlock(run.start), in: run.group)
            let place = fileBlock + UInt64(done)
            try addOwner(run, BlockOwner(inode.number, .data, fileBlock: place))
            records.append(
                ExtentRecord(isUnwritten: false, fileBlock: place, block: first, count: UInt64(run.count)))
            let start = done * blockSize
            let end = min(start + Int(run.count) * blockSize, contents.count)
            var bytes = Array(contents[start..<end])
            bytes += [UInt8](repeating: 0, count: Int(run.count) * blockSize - bytes.count)
            state.contents[geometry.position(of: first)] = bytes
            done += Int(run.count)
            left -= Int(run.count)
        }
        return records
    }

    /// Gives back all blocks of a file's contents and of its map.
    func dropContents(of inode: inout Inode) throws(StorageError) {
        for record in try extents(of: inode, .data) { try release(record, .data, of: inode) }
        try setExtents([], .data, of: &inode)
        // None of its blocks is shared now.
        if inode.version == 3 {
            inode.bytes.storeBig(
                inode.flags2.subtracting(.sharesBlocks).rawValue, at: Inode.Offset.flags2)
        }
    }

    /// chmod, chown, utimes.
    package func setAttributes(of file: FileID, _ change: AttributeChange) throws(StorageError) {
        try perform { () throws(StorageError) in
            var inode = try inode(file)
            try requireChangeable(inode)
            if let permissions = change.permissions {
                inode.bytes.storeBig(inode.mode & 0xf000 | permissions & 0xfff, at: Inode.Offset.mode)
                try updateAccessList(of: &inode)
            }
            if let owner = change.owner { inode.bytes.storeBig(owner, at: Inode.Offset.owner) }
            if let group = change.group { inode.bytes.storeBig(group, at: Inode.Offset.group) }
            if let time = change.accessTime { inode.setTime(time, at: Inode.Offset.accessTime) }
            if let time = change.modificationTime { inode.setTime(time, at: Inode.Offset.modificationTime) }
            touch(&inode, contents: false)
            try store(inode)
        }
    }

    /// Names the volume, in the superblock of every group.
    package func setLabel(_ label: [UInt8]) throws(StorageError) {
        try perform { () throws(StorageError) in
            guard label.count <= Superblock.labelByteCount, !label.contains(0) else {
                throw .xfs(
                    .misuse, .badLabel, "a label of XFS has at most \(Superblock.labelByteCount) bytes")
            }
            state.superblock.label = label
        }
    }
}
