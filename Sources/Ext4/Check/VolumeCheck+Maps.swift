internal import Storage

/// What a walk over an inode's blocks adds up.
struct MapTotals {
    /// Blocks, those of the map and of attributes included; whole clusters with bigalloc.
    var blockCount: UInt64 = 0
    /// Behind the last block of the file that has contents (unwritten ones left out).
    var writtenEnd: UInt64 = 0
    /// Behind the last mapped block of the file.
    var mappedEnd: UInt64 = 0
    /// Clusters that this file has claimed already; only with bigalloc, where several runs share one.
    var ownClusters: Set<ClusterNumber> = []
    /// Attribute values in inodes of their own that count for this one.
    var valueCount: UInt64 = 0
    /// A part of the map could not be read, so that sums say nothing.
    var isPartial = false
}

extension VolumeCheck {
    /// Claims the blocks of an inode, and compares i_blocks and i_size with them.
    func checkMap(of inode: Inode) throws(StorageError) {
        var totals = MapTotals()
        try checkAttributes(of: inode, &totals)
        if inode.flags.contains(.inlineData) {
            try checkInlineData(of: inode)
        } else if hasMap(inode) {
            if inode.flags.contains(.extents) {
                if let root = try sink.attempt(
                    inode: inode.number.rawValue,
                    { () throws(StorageError) in try view.extentRoot(of: inode) })
                {
                    try walk(root, of: inode, bounds: 0..<CheckView.extentLimit, &totals)
                } else {
                    totals.isPartial = true
                }
            } else {
                try walkIndirect(inode, &totals)
            }
        }
        if inode.type == .symbolicLink { try checkSymbolicLink(inode) }
        countUsage(of: inode, totals)
        // The bad blocks' inode counts nothing reliably; e2fsck does not ask it either.
        guard !totals.isPartial, inode.number.rawValue != 1 else { return }
        checkBlockCount(of: inode, totals)
        checkSize(of: inode, totals)
    }

    private func hasMap(_ inode: Inode) -> Bool {
        switch inode.type {
        case .regular, .directory: return true
        case .symbolicLink:
            if view.isFastSymbolicLink(inode) {
                if inode.flags.contains(.extents), inode.word(Inode.Offset.map) & 0xffff != 0xf30a {
                    add(.inodeField, inode, "keeps its target in the inode and is marked as using extents")
                }
                return false
            }
            return true
        // The bad blocks' inode has no mode.
        case nil: return inode.number.rawValue < geometry.firstInode
        default: return false
        }
    }

    /// Claims blocks; false when they cannot be followed further.
    private func claim(
        _ first: BlockNumber, _ count: UInt64, of inode: Inode, _ totals: inout MapTotals
    ) -> Bool {
        guard var clusters = clusters(of: Range(first, count: count)) else { return false }
        if geometry.clusterRatio > 1 {
            // A file's own runs may share a cluster at their ends.
            if totals.ownClusters.contains(clusters.lowerBound) {
                let next = clusters.lowerBound.advanced(by: 1)
                clusters = next..<max(clusters.upperBound, next)
            }
            if !clusters.isEmpty, totals.ownClusters.contains(clusters.last) {
                clusters = clusters.lowerBound..<clusters.last
            }
            totals.ownClusters.insert(
                ClusterNumber((first.rawValue - geometry.firstDataBlock) / geometry.clusterRatio))
            if !clusters.isEmpty { totals.ownClusters.insert(clusters.last) }
        }
        totals.blockCount += clusters.count * geometry.clusterRatio
        if inode.number.rawValue == 1 { _ = badBlocks.claim(clusters) }
        // Bad blocks may lie anywhere, in tables of inodes too.
        guard !clusters.isEmpty, let conflict = claims.claim(clusters),
            !geometry.readOnly.contains(.sharedBlocks), inode.number.rawValue != 1
        else { return true }
        add(
            .multiplyClaimed, inode,
            "claims block \(firstBlock(ofCluster: conflict).rawValue), which something else has claimed")
        return false
    }

    private func walk(
        _ node: ExtentNode, of inode: Inode, bounds: Range<UInt64>, _ totals: inout MapTotals
    ) throws(StorageError) {
        for index in 0..<node.entryCount {
            if node.isLeaf {
                let run = node.extent(index)
                guard let first = run.firstBlock else { continue }
                _ = claim(first, run.count, of: inode, &totals)
                totals.mappedEnd = max(totals.mappedEnd, run.end)
                if case .written = run.place { totals.writtenEnd = max(totals.writtenEnd, run.end) }
                continue
            }
            let end = index + 1 < node.entryCount ? node.logical(index + 1) : bounds.upperBound
            let range = node.logical(index)..<end
            let child = node.child(index)
            // A node that was claimed before could lead back here.
            guard claim(child, 1, of: inode, &totals) else {
                totals.isPartial = true
                continue
            }
            let depth = node.depth - 1
            guard
                let below = try sink.attempt(
                    inode: inode.number.rawValue,
                    { () throws(StorageError) in
                        try view.extentNode(child, of: inode, depth: depth, bounds: range)
                    })
            else {
                totals.isPartial = true
                continue
            }
            if below.entryCount > 0, below.logical(0) != range.lowerBound {
                add(.badPointer, inode, "has an extent block that does not begin where its parent says")
            }
            try walk(below, of: inode, bounds: range, &totals)
        }
    }

    private func walkIndirect(_ inode: Inode, _ totals: inout MapTotals) throws(StorageError) {
        if inode.half(Inode.Offset.map) == 0xf30a, geometry.incompatible.contains(.extents),
            inode.half(Inode.Offset.map + 4) == 4
        {
            add(.inodeField, inode, "looks like one with extents and is not marked as such")
        }
        var logical: UInt64 = 0
        for slot in 0..<15 {
            let levels = max(0, slot - 11)
            let number: UInt32 = inode.word(Inode.Offset.map + slot * 4)
            try walkPointer(number, levels: levels, of: inode, &logical, &totals)
        }
    }

    private func walkPointer(
        _ number: UInt32, levels: Int, of inode: Inode, _ logical: inout UInt64, _ totals: inout MapTotals
    ) throws(StorageError) {
        var covered: UInt64 = 1
        for _ in 0..<levels { covered *= view.pointersPerBlock }
        guard number != 0 else {
            logical += covered
            return
        }
        let block = BlockNumber(UInt64(number))
        guard geometry.contains(block) else {
            add(.badPointer, inode, "points to block \(number), which is not in the volume")
            totals.isPartial = true
            logical += covered
            return
        }
        let isNew = claim(block, 1, of: inode, &totals)
        guard levels > 0 else {
            logical += 1
            totals.mappedEnd = logical
            totals.writtenEnd = logical
            return
        }
        guard isNew, let pointers = try sink.attempt({ () throws(StorageError) in try view.block(block) })
        else {
            totals.isPartial = true
            logical += covered
            return
        }
        for slot in 0..<Int(view.pointersPerBlock) {
            try walkPointer(pointers.little(slot * 4), levels: levels - 1, of: inode, &logical, &totals)
        }
    }

    private func checkBlockCount(of inode: Inode, _ totals: MapTotals) {
        let bytes = totals.blockCount * UInt64(geometry.blockSize)
        let stored = inode.allocatedByteCount(geometry)
        guard stored != bytes, inode.number.rawValue != 1 || stored != 0 else { return }
        add(.inodeBlocks, inode, "claims \(stored) bytes of blocks and has \(bytes)")
    }

    /// A directory's size is its blocks'; a file reaches at least into its last block with contents.
    private func checkSize(of inode: Inode, _ totals: MapTotals) {
        let size = inode.size(geometry)
        let blockSize = UInt64(geometry.blockSize)
        guard !inode.flags.contains(.inlineData) else { return }
        switch inode.type {
        case .directory:
            if size == 0 || size % blockSize != 0 || size / blockSize != totals.mappedEnd {
                add(.inodeSize, inode, "has a size of \(size) and \(totals.mappedEnd) blocks")
            } else if size >> 31 != 0, !geometry.incompatible.contains(.largeDirectories) {
                add(.inodeSize, inode, "is too large for a directory")
            }
        case .regular:
            if totals.writtenEnd > 0, size < (totals.writtenEnd - 1) * blockSize,
                !inode.flags.contains(.verity), inode.number.rawValue >= geometry.firstInode
            {
                add(.inodeSize, inode, "has a size of \(size) and contents up to block \(totals.writtenEnd)")
            }
            if size > 1 << 63 { add(.inodeSize, inode, "has an impossible size") }
        default: break
        }
    }
}
