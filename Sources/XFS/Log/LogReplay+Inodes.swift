internal import Storage

extension LogReplay {
    /// Sizes of the fields of an inode's core from its beginning on, each turned around: it is logged in the order of
    /// the machine (struct xfs_log_dinode).
    private static let firstFields = [2, 2, 1, 1, 2, 4, 4, 4, 2, 2]  // to projid_hi, 24 bytes
    private static let lastFields = [8, 8, 4, 4, 2, 1, 1, 4, 2, 2, 4]  // size to gen, bytes 56 to 96

    /// An inode as it will be: its core over what is there, but for the pointer to the next unlinked inode.
    func replay(_ logged: LoggedInode, _ lsn: LogSequence) throws(StorageError) {
        // Freed with its neighbours: its place may hold a file's contents by now.
        guard !isCancelled(logged.cluster) else { return }
        guard geometry.contains(logged.number), logged.core.count >= 96 else { throw bad("a changed inode") }
        let position =
            geometry.position(of: geometry.block(of: logged.number))
            + UInt64(geometry.offset(of: logged.number))
        var inode = Inode(
            number: logged.number, position: position,
            bytes: try device.bytes(at: position, count: geometry.inodeSize))
        guard inode.bytes.big(0, as: UInt16.self) == Inode.magic,
            logged.core.little(0, as: UInt16.self) == Inode.magic
        else { throw bad("a changed inode") }
        if geometry.hasChecksums {
            let written: UInt64 = inode.bytes.big(Inode.Offset.lsn)
            guard written == 0 || written == .max || LogSequence(written) <= lsn else { return }
        } else if Self.isOlder(logged.core, than: inode.bytes) {
            return
        }
        try putCore(logged.core, lsn, into: &inode)
        if logged.fields.contains(.device) { inode.bytes.storeBig(logged.device, at: inode.coreSize) }
        if let fork = logged.dataFork {
            try put(fork, .data, isRoot: logged.fields.contains(.dataRoot), into: &inode)
        }
        if let fork = logged.attributeFork {
            try put(fork, .attributes, isRoot: logged.fields.contains(.attributesRoot), into: &inode)
        }
        if !logged.fields.isDisjoint(with: .owners) {
            warn("the log has a swap of extents that was not finished: a file may not be readable")
        }
        if geometry.hasChecksums { Checksum.update(&inode.bytes, at: Inode.Offset.checksum) }
        try device.write(inode.bytes, at: position)
    }

    /// Inodes of version 4 count how often they were written, instead of an LSN.
    private static func isOlder(_ core: [UInt8], than disk: [UInt8]) -> Bool {
        let logged: UInt16 = core.little(30)
        let written: UInt16 = disk.big(30)
        return logged < written && !(written == 0xffff && logged < 0x7fff)
    }

    private func putCore(
        _ core: [UInt8], _ lsn: LogSequence, into inode: inout Inode
    ) throws(StorageError) {
        let isNew = core[Inode.Offset.version] == 3
        guard isNew == geometry.hasChecksums, !isNew || core.count >= 176 else {
            throw bad("a changed inode")
        }
        let flags2: UInt64 = isNew ? core.little(Inode.Offset.flags2) : 0
        var offset = 0
        func turn(_ size: Int) {
            for index in 0..<size { inode.bytes[offset + index] = core[offset + size - 1 - index] }
            offset += size
        }
        for size in Self.firstFields { turn(size) }
        if isNew {
            turn(8)
        } else {
            // Padding, and the count of writes, which begins anew.
            for index in 0..<8 { inode.bytes[offset + index] = 0 }
            offset += 8
        }
        // A time is one number with "bigtime", two without.
        let timeFields = flags2 & Inode.Flags2.bigTimes.rawValue != 0 ? [8] : [4, 4]
        for _ in 0..<3 { for size in timeFields { turn(size) } }
        for size in Self.lastFields { turn(size) }
        guard isNew else { return }
        offset = Inode.Offset.changeCount
        turn(8)
        inode.bytes.storeBig(lsn.rawValue, at: Inode.Offset.lsn)
        offset = Inode.Offset.flags2
        turn(8)
        turn(4)
        for index in 132..<144 { inode.bytes[index] = core[index] }
        offset = Inode.Offset.creationTime
        for size in timeFields { turn(size) }
        inode.bytes.storeBig(inode.number.rawValue, at: Inode.Offset.number)
        inode.bytes.replaceSubrange(
            Inode.Offset.uuid..<Inode.Offset.uuid + 16, with: core[Inode.Offset.uuid..<Inode.Offset.uuid + 16]
        )
    }

    /// A fork: as it is on the device, or the root of its tree in the form that it has in memory, with a whole header.
    private func put(
        _ fork: [UInt8], _ which: Inode.Fork, isRoot: Bool, into inode: inout Inode
    ) throws(StorageError) {
        guard inode.coreSize + inode.forkOffset <= inode.bytes.count else { throw bad("a changed inode") }
        let range = inode.range(which)
        guard isRoot else {
            guard fork.count <= range.count else { throw bad("an inode's fork") }
            inode.bytes.replaceSubrange(range.lowerBound..<range.lowerBound + fork.count, with: fork)
            return
        }
        let header = geometry.hasChecksums ? 72 : 24
        guard fork.count >= header else { throw bad("an inode's fork") }
        let count = Int(fork.big(6, as: UInt16.self))
        let held = (fork.count - header) / 16
        let room = max(range.count - 4, 0) / 16
        // A fork that is not there has no place for a root either.
        guard range.count >= 4, count <= held, count <= room else { throw bad("an inode's fork") }
        var root = [UInt8](repeating: 0, count: range.count)
        root.replaceSubrange(0..<4, with: fork[4..<8])
        root.replaceSubrange(4..<4 + count * 8, with: fork[header..<header + count * 8])
        let pointers = header + held * 8
        root.replaceSubrange(
            4 + room * 8..<4 + room * 8 + count * 8, with: fork[pointers..<pointers + count * 8])
        inode.bytes.replaceSubrange(range, with: root)
    }

    /// New inodes, empty, unless the buffers that they lie in were freed later.
    func replay(_ creation: LoggedInodeCreation) throws(StorageError) {
        guard creation.group.rawValue < geometry.groupCount, creation.length > 0, creation.length <= 1 << 10,
            Int(creation.count) == Int(creation.length) * geometry.blockSize / geometry.inodeSize
        else { throw bad("a creation of inodes") }
        let first = geometry.block(creation.block, in: creation.group)
        guard geometry.contains(first, count: UInt64(creation.length)) else {
            throw bad("a creation of inodes")
        }
        let perCluster = inodeClusterBlockCount
        var cancelledCount = 0
        let starts = Array(stride(from: 0, to: Int(creation.length), by: perCluster))
        for start in starts {
            let position = geometry.position(of: first.advanced(by: UInt64(start)))
            let place = LoggedBuffer.Place(
                block: position / 512, count: UInt16(perCluster * geometry.blockSize / 512))
            if isCancelled(place) { cancelledCount += 1 }
        }
        guard cancelledCount < starts.count else { return }
        var bytes = [UInt8](repeating: 0, count: Int(creation.length) * geometry.blockSize)
        for index in 0..<Int(creation.count) {
            let start = index * geometry.inodeSize
            bytes.storeBig(Inode.magic, at: start)
            bytes[start + Inode.Offset.version] = geometry.hasChecksums ? 3 : 2
            bytes.storeBig(creation.generation, at: start + Inode.Offset.generation)
            bytes.storeBig(UInt32.max, at: start + Inode.Offset.nextUnlinked)
            guard geometry.hasChecksums else { continue }
            let number = first.rawValue << UInt64(geometry.inodesPerBlockLog) + UInt64(index)
            bytes.storeBig(number, at: start + Inode.Offset.number)
            bytes.replaceSubrange(
                start + Inode.Offset.uuid..<start + Inode.Offset.uuid + 16, with: geometry.blockUUID)
            try mendInode(&bytes, at: start)
        }
        let position = geometry.position(of: first)
        try requireRange(position, bytes.count)
        try device.write(bytes, at: position)
    }

    /// Blocks of the buffers in which the kernel reads and writes inodes (xfs_ialloc_setup_geometry).
    private var inodeClusterBlockCount: Int {
        var size = 8192
        if geometry.hasChecksums {
            let larger = size * geometry.inodeSize / 256
            if Int(geometry.inodeAlignment) >= larger / geometry.blockSize { size = larger }
        }
        return max(size / geometry.blockSize, 1)
    }
}
