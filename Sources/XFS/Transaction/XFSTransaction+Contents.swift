package import Storage

extension XFSTransaction {
    /// What is written at once: contents are held in memory until the commit.
    private static let contentsLimit = 1 << 30

    /// Replaces the contents of a regular file: new blocks, and the old ones are given back, or left to the files that
    /// share them.
    package func replaceContents(of file: FileID, with contents: [UInt8]) throws(StorageError) {
        try perform { () throws(StorageError) in
            var inode = try inode(file)
            guard inode.type == .regular else {
                throw .xfs(.misuse, .notARegularFile, "\(inode.name) is not a regular file")
            }
            try requireChangeable(inode)
            guard !inode.flags.contains(.realTime) else {
                throw .xfs(
                    .unsupported, .realTime, "the contents of \(inode.name) lie on a real-time device")
            }
            try dropContents(of: &inode)
            try putContents(contents, into: &inode)
            touch(&inode, contents: true)
            try store(inode)
        }
    }

    /// Gives back all blocks of a file's contents and of its map.
    func dropContents(of inode: inout Inode) throws(StorageError) {
        var extents: [ExtentRecord] = []
        var nodes: [FSBlock] = []
        var count: UInt64 = 0
        try forEachExtent(of: inode) { (node) throws(StorageError) in
            nodes.append(node)
        } _: { (record) throws(StorageError) in
            count += record.count
            guard record.count > 0, geometry.contains(record.block, count: record.count),
                count <= geometry.blockCount, extents.last.map({ $0.end <= record.fileBlock }) ?? true
            else {
                throw .xfs(
                    .corrupt, .badMap, "the map of \(inode.name) is damaged; run xfs_repair",
                    structure: "extent", offset: inode.position)
            }
            extents.append(record)
            return true
        }
        for record in extents {
            let run = run(record.block, record.count)
            try removeOwner(
                run, inode.number, fileBlock: record.fileBlock,
                flags: record.isUnwritten ? ReverseRecord.unwrittenBit : 0)
            for part in try unshare(run) { try freeBlocks(part) }
        }
        for node in nodes {
            let run = run(node, 1)
            try removeOwner(run, inode.number, fileBlock: 0, flags: ReverseRecord.mapBlockBit)
            try freeBlocks(run)
        }
        let used = inode.blockCount
        guard used >= count + UInt64(nodes.count) else {
            throw .xfs(
                .corrupt, .badInode, "\(inode.name) counts fewer blocks than it has; run xfs_repair",
                structure: "inode", field: "di_nblocks", offset: inode.position)
        }
        inode.bytes.storeBig(used - count - UInt64(nodes.count), at: Inode.Offset.blockCount)
        setExtents([], of: &inode)
        // None of its blocks is shared now.
        if inode.version == 3 {
            inode.bytes.storeBig(
                inode.flags2.subtracting(.sharesBlocks).rawValue, at: Inode.Offset.flags2)
        }
    }

    private func run(_ block: FSBlock, _ count: UInt64) -> BlockRun {
        BlockRun(
            group: AGNumber(UInt32(truncatingIfNeeded: geometry.group(of: block))),
            start: geometry.groupBlock(of: block).rawValue, count: UInt32(truncatingIfNeeded: count))
    }

    /// Gives a file without blocks its contents.
    func putContents(_ contents: [UInt8], into inode: inout Inode) throws(StorageError) {
        guard contents.count <= Self.contentsLimit else {
            throw .memoryBound("xfs", "\(contents.count) bytes are more than are written at once")
        }
        let blockSize = geometry.blockSize
        var left = contents.count.dividedRoundingUp(by: blockSize)
        let capacity = inode.range(.data).count / ExtentRecord.byteCount
        let near = AGNumber(UInt32(truncatingIfNeeded: geometry.group(of: geometry.block(of: inode.number))))
        var records: [ExtentRecord] = []
        var done = 0
        while left > 0 {
            guard records.count < capacity else {
                throw .xfs(
                    .refused, .fileFragmented,
                    "free space is in pieces too small for the \(contents.count) bytes of \(inode.name)")
            }
            let run = try takeBlocks(UInt32(clamping: left), near: near)
            let first = geometry.block(AGBlock(run.start), in: run.group)
            try addOwner(run, inode.number, fileBlock: UInt64(done))
            records.append(
                ExtentRecord(
                    isUnwritten: false, fileBlock: UInt64(done), block: first, count: UInt64(run.count)))
            let start = done * blockSize
            let end = min(start + Int(run.count) * blockSize, contents.count)
            var bytes = Array(contents[start..<end])
            // What lies behind the end in the last block is zero.
            bytes += [UInt8](repeating: 0, count: Int(run.count) * blockSize - bytes.count)
            state.contents[geometry.position(of: first)] = bytes
            done += Int(run.count)
            left -= Int(run.count)
        }
        setExtents(records, of: &inode)
        inode.bytes.storeBig(inode.blockCount + UInt64(done), at: Inode.Offset.blockCount)
        inode.bytes.storeBig(UInt64(contents.count), at: Inode.Offset.size)
    }

    /// Puts a list of extents into the inode's fork.
    private func setExtents(_ records: [ExtentRecord], of inode: inout Inode) {
        let range = inode.range(.data)
        let list = records.flatMap(\.bytes)
        inode.bytes.replaceSubrange(
            range, with: list + [UInt8](repeating: 0, count: range.count - list.count))
        inode.bytes[Inode.Offset.format] = Inode.Format.extents.rawValue
        inode.setExtentCount(UInt64(records.count), .data)
    }

    /// chmod, chown, utimes.
    package func setAttributes(of file: FileID, _ change: AttributeChange) throws(StorageError) {
        try perform { () throws(StorageError) in
            var inode = try inode(file)
            try requireChangeable(inode)
            if let permissions = change.permissions {
                inode.bytes.storeBig(inode.mode & 0xf000 | permissions & 0xfff, at: Inode.Offset.mode)
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
