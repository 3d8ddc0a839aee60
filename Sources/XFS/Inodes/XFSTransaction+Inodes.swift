internal import Storage

/// Inodes that are taken and given back: both trees of them, the group's counts, the superblock's.
extension XFSTransaction {
    private var isSparse: Bool { geometry.incompatible.contains(.sparseInodes) }

    /// Takes a free inode, in a group's own chunks first, then a new chunk there, then in other groups.
    func takeInode(near: AGNumber) throws(StorageError) -> Inode {
        var refusal: StorageError?
        for makesChunks in [false, true] {
            for distance in 0..<geometry.groupCount {
                let group = geometry.group(distance, behind: near)
                let before = state
                do throws(StorageError) {
                    if makesChunks, try !makeChunk(in: group) { continue }
                    if let number = try takeInode(in: group) { return try newInode(number) }
                } catch {
                    guard error.kind == .refused else { throw error }
                    refusal = refusal ?? error
                    state = before
                }
                // Another group is far away: a new chunk here is better.
                if !makesChunks, distance == 0 {
                    do throws(StorageError) {
                        if try makeChunk(in: group), let number = try takeInode(in: group) {
                            return try newInode(number)
                        }
                    } catch {
                        guard error.kind == .refused else { throw error }
                        refusal = refusal ?? error
                        state = before
                    }
                }
            }
        }
        throw refusal
            ?? .xfs(
                .refused, .noSpace,
                "the volume is full: there is no room for another inode; remove files from it, or make it longer"
            )
    }

    private func takeInode(in group: AGNumber) throws(StorageError) -> InodeNumber? {
        let headers = try headers(of: group)
        guard headers.inode(GroupHeaders.InodesOffset.freeCount) > 0 else { return nil }
        guard let record = try chunkWithFree(headers), let index = record.firstFree else { return nil }
        let inGroup = UInt64(record.first) + UInt64(index)
        guard inGroup < UInt64(geometry.blockCount(of: group)) << UInt64(geometry.inodesPerBlockLog) else {
            throw badTree(.inodes, group, geometry.position(ofSector: 2, in: group))
        }
        var after = record
        after.free &= ~(1 << UInt64(index))
        after.freeCount -= 1
        try exchange(record, for: after, group)
        try countInodes(0, free: -1, group)
        return number(inGroup, in: group)
    }

    /// An inode's number from its number within its group.
    private func number(_ inGroup: UInt64, in group: AGNumber) -> InodeNumber {
        InodeNumber(
            UInt64(group.rawValue) << UInt64(geometry.groupBlockLog + geometry.inodesPerBlockLog) | inGroup)
    }

    /// The first chunk that has a free inode.
    private func chunkWithFree(_ headers: GroupHeaders) throws(StorageError) -> InodeRecord? {
        let kind: GroupTree = GroupTree.freeInodes.exists(in: geometry) ? .freeInodes : .inodes
        let (root, levels) = headers.root(kind)
        guard (1...GroupTreeNode.maximumLevelCount).contains(levels) else {
            throw badTree(kind, headers.group, geometry.position(ofSector: 2, in: headers.group))
        }
        var node = try treeNode(root, of: kind, in: headers.group, level: levels - 1)
        while node.level > 0 {
            node = try treeNode(node.pointer(0), of: kind, in: headers.group, level: node.level - 1)
        }
        var last: UInt32?
        while true {
            for index in 0..<node.count {
                let record = InodeRecord(node.bytes, at: node.recordOffset(index), isSparse: isSparse)
                // Numbers rise, so that no walk from leaf to leaf goes in circles.
                guard record.isSound, last.map({ $0 < record.first }) ?? true else {
                    throw badTree(kind, headers.group, geometry.position(ofSector: 2, in: headers.group))
                }
                if record.firstFree != nil { return record }
                last = record.first
            }
            guard node.right != .none else { return nil }
            node = try treeNode(node.right, of: kind, in: headers.group, level: 0)
            guard node.count > 0 else {
                throw badTree(kind, headers.group, geometry.position(ofSector: 2, in: headers.group))
            }
        }
    }

    /// Puts a chunk's record in the place of another, in both trees.
    private func exchange(
        _ old: InodeRecord?, for new: InodeRecord, _ group: AGNumber
    ) throws(StorageError) {
        let after = new.bytes(isSparse: isSparse)
        let before = old?.bytes(isSparse: isSparse)
        if let before {
            try replace(before, by: after, in: .inodes, group)
        } else {
            try insert(after, into: .inodes, group)
        }
        guard GroupTree.freeInodes.exists(in: geometry) else { return }
        switch (before, (old?.freeCount ?? 0) > 0, new.freeCount > 0) {
        case (let before?, true, true): try replace(before, by: after, in: .freeInodes, group)
        case (let before?, true, false): try remove(before, from: .freeInodes, group)
        case (_, false, true): try insert(after, into: .freeInodes, group)
        default: break
        }
    }

    private func countInodes(_ all: Int64, free: Int64, _ group: AGNumber) throws(StorageError) {
        let headers = try headers(of: group)
        func sum(_ offset: Int, _ change: Int64) throws(StorageError) -> UInt32 {
            guard let value = UInt32(exactly: Int64(headers.inode(offset)) + change) else {
                throw badTree(.inodes, group, geometry.position(ofSector: 2, in: group))
            }
            return value
        }
        let count = try sum(GroupHeaders.InodesOffset.count, all)
        let unused = try sum(GroupHeaders.InodesOffset.freeCount, free)
        try changeHeader(.inodes, group) { bytes in
            bytes.storeBig(count, at: GroupHeaders.InodesOffset.count)
            bytes.storeBig(unused, at: GroupHeaders.InodesOffset.freeCount)
        }
        for (offset, change) in [
            (Superblock.Offset.inodeCount, all), (Superblock.Offset.freeInodeCount, free),
        ] {
            let value = Int64(truncatingIfNeeded: superblock.long(offset)) &+ change
            guard value >= 0 else {
                throw .xfs(
                    .corrupt, .badSuperblock, "the superblock counts too few inodes; run xfs_repair",
                    structure: "superblock", offset: UInt64(offset))
            }
            state.superblock.bytes.storeBig(UInt64(value), at: offset)
        }
    }

    // MARK: New chunks

    /// Makes a chunk of inodes in a group: as many as fill a block, at least 64. False where the group has no room.
    private func makeChunk(in group: AGNumber) throws(StorageError) -> Bool {
        let perBlock = 1 << geometry.inodesPerBlockLog
        let blockCount = max(InodeRecord.inodeCount / perBlock, 1)
        // With sparse chunks sb_inoalignmt is a whole chunk's length; a record begins at a multiple of 64 inodes.
        let alignment = max(geometry.inodeAlignment, UInt32(blockCount), 1)
        guard try !isInodeLimitReached(InodeRecord.inodeCount) else { return false }
        let request = BlockRequest(
            count: UInt32(blockCount), minimum: UInt32(blockCount), alignment: alignment, isMetadata: true)
        guard let run = try takeBlocks(request, in: group) else { return false }
        var owner = BlockOwner(owner: SystemOwner.inodes)
        owner.offset = 0
        try addOwner(run, owner)
        for block in run.start..<run.start + run.count {
            let number = geometry.block(AGBlock(block), in: group)
            var bytes = [UInt8](repeating: 0, count: geometry.blockSize)
            for index in 0..<perBlock {
                let inode = emptyInode(
                    InodeNumber(number.rawValue << UInt64(geometry.inodesPerBlockLog) | UInt64(index)))
                let start = index * geometry.inodeSize
                bytes.replaceSubrange(start..<start + geometry.inodeSize, with: inode)
            }
            store(bytes, at: geometry.position(of: number), .inodes)
        }
        let first = run.start << UInt32(geometry.inodesPerBlockLog)
        let count = blockCount * perBlock
        for start in stride(from: 0, to: count, by: InodeRecord.inodeCount) {
            try exchange(nil, for: InodeRecord(newChunk: first + UInt32(start)), group)
        }
        try countInodes(Int64(count), free: Int64(count), group)
        try changeHeader(.inodes, group) { $0.storeBig(first, at: GroupHeaders.InodesOffset.newest) }
        return true
    }

    /// sb_imax_pct: how much of the volume inodes may take.
    private func isInodeLimitReached(_ more: Int) throws(StorageError) -> Bool {
        let percent = UInt64(superblock.byte(Superblock.Offset.maximumInodePercent))
        guard percent > 0, percent <= 100 else { return false }
        let limit =
            (geometry.blockCount / 100 * percent) << UInt64(geometry.inodesPerBlockLog)
        guard let count = superblock.long(Superblock.Offset.inodeCount) +? UInt64(more) else { return true }
        return count > max(limit, 64)
    }

    /// An inode that is not in use.
    private func emptyInode(_ number: InodeNumber) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: geometry.inodeSize)
        bytes.storeBig(Inode.magic, at: 0)
        bytes[Inode.Offset.version] = geometry.hasChecksums ? 3 : 2
        bytes.storeBig(UInt32.max, at: Inode.Offset.nextUnlinked)
        guard geometry.hasChecksums else { return bytes }
        bytes.storeBig(number.rawValue, at: Inode.Offset.number)
        bytes.replaceSubrange(Inode.Offset.uuid..<Inode.Offset.uuid + 16, with: geometry.blockUUID)
        Checksum.update(&bytes, at: Inode.Offset.checksum)
        return bytes
    }

    // MARK: One inode

    /// A taken inode as it begins: of no type yet, without attributes.
    private func newInode(_ number: InodeNumber) throws(StorageError) -> Inode {
        let old = try rawInode(number)
        guard old.mode == 0 else {
            throw .xfs(
                .corrupt, .badInode, "\(old.name) is listed as free and is in use; run xfs_repair",
                structure: "inode", field: "di_mode", offset: old.position)
        }
        var inode = Inode(number: number, position: old.position, bytes: emptyInode(number))
        inode.bytes.storeBig(old.generation &+ 1, at: Inode.Offset.generation)
        inode.setFormat(.extents, .data)
        inode.setFormat(.extents, .attributes)
        if geometry.hasChecksums {
            var flags: Inode.Flags2 = []
            if geometry.incompatible.contains(.bigTimes) { flags.insert(.bigTimes) }
            if geometry.incompatible.contains(.largeExtentCounts) { flags.insert(.largeExtentCounts) }
            inode.bytes.storeBig(flags.rawValue, at: Inode.Offset.flags2)
            inode.bytes.storeBig(UInt64(1), at: Inode.Offset.changeCount)
        }
        return inode
    }

    /// Gives an inode back with all that it has.
    func freeInode(_ inode: Inode) throws(StorageError) {
        var inode = inode
        try dropAttributes(of: &inode)
        if inode.format(.data) == .extents || inode.format(.data) == .tree {
            try dropContents(of: &inode)
        }
        guard inode.blockCount == 0 else {
            throw .xfs(
                .corrupt, .badInode, "\(inode.name) counts more blocks than it has; run xfs_repair",
                structure: "inode", field: "di_nblocks", offset: inode.position)
        }
        let group = geometry.group(of: inode.number)
        let inGroup = UInt32(
            truncatingIfNeeded: inode.number.rawValue
                & (1 << UInt64(geometry.groupBlockLog + geometry.inodesPerBlockLog) - 1))
        let headers = try headers(of: group)
        var probe = [UInt8](repeating: 0, count: 16)
        probe.storeBig(inGroup, at: 0)
        let path = try path(
            to: TreeRecordKey(.inodes, probe, at: 0, isRecord: true), in: .inodes, headers)
        var found: InodeRecord?
        for index in [path.index, path.index - 1] where index >= 0 && index < path.leaf.count {
            let record = InodeRecord(
                path.leaf.bytes, at: path.leaf.recordOffset(index), isSparse: isSparse)
            if record.first <= inGroup, inGroup - record.first < UInt32(InodeRecord.inodeCount) {
                found = record
            }
        }
        guard let found, case let index = Int(inGroup - found.first), found.isSound, found.exists(index),
            !found.isFree(index)
        else { throw badTree(.inodes, group, geometry.position(ofSector: 2, in: group)) }
        var after = found
        after.free |= 1 << UInt64(index)
        after.freeCount += 1
        try exchange(found, for: after, group)
        try countInodes(0, free: 1, group)
        var empty = Inode(number: inode.number, position: inode.position, bytes: emptyInode(inode.number))
        empty.bytes.storeBig(inode.generation &+ 1, at: Inode.Offset.generation)
        empty.setFormat(.extents, .data)
        empty.setFormat(.extents, .attributes)
        if inode.version == 3 {
            // Its sequence number stays as it was found.
            empty.bytes.storeBig(
                inode.bytes.big(Inode.Offset.lsn, as: UInt64.self), at: Inode.Offset.lsn)
            let count: UInt64 = inode.bytes.big(Inode.Offset.changeCount)
            empty.bytes.storeBig(count &+ 1, at: Inode.Offset.changeCount)
        }
        try store(empty)
    }
}
