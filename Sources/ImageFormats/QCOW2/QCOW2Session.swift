internal import Storage

/// What a writing session adds to the tables.
struct QCOW2Session: Sendable {
    /// The first cluster that has never been used: every new one comes from here on, at the file's end. Space
    /// freed inside the file is left to qemu, so no cluster that anything might refer to is handed out.
    var next: UInt64
    /// Clusters of tables, for the check that guest data never goes there.
    var metadata: QCOW2MetadataClusters
    /// Clusters to which one reference each goes away with the next commit.
    var freed: [Range<UInt64>] = []
    /// Whether the refcount table lies elsewhere than the header on disk says.
    var hasMovedRefcountTable = false
    /// Whether clusters were taken since the last commit.
    var hasTakenClusters = false
    /// A commit that was cut off by an error: the tables here and on disk differ.
    var hasFailed = false
    /// log2 of the cluster size.
    let clusterBits: UInt64

    /// The end in bytes of the space handed out.
    var allocationEnd: UInt64 { next << clusterBits }

    /// Notes that one reference to each of these clusters goes away.
    mutating func free(_ clusters: Range<UInt64>) {
        if let last = freed.last, last.upperBound == clusters.lowerBound {
            freed[freed.count - 1] = last.lowerBound..<clusters.upperBound
        } else {
            freed.append(clusters)
        }
    }
}

extension QCOW2Tables {
    /// Checks all tables above the L2 entries. Writes nothing.
    mutating func beginSession() throws(StorageError) {
        guard session == nil else { return }
        try header.requireWritable()
        let size = header.clusterSize
        let length = file.byteCount
        guard header.refcountTableClusters > 0, header.refcountTableOffset < length,
            UInt64(header.refcountTableClusters) * size <= length - header.refcountTableOffset
        else {
            throw .qcow2(
                .noRefcountTable, "the refcount table does not lie in the file", structure: "header",
                field: "refcount_table_offset", offset: UInt64(QCOW2Header.Field.refcountTableOffset))
        }
        let (metadata, blocks) = try metadataClusters()
        var session = QCOW2Session(
            next: length.dividedRoundingUp(by: size), metadata: QCOW2MetadataClusters(metadata),
            clusterBits: UInt64(header.clusterBits))
        session.next = try firstUnused(from: session.next, blocks: blocks)
        forgetExtent()
        self.session = session
    }

    /// Clears the autoclear bits, durably, before the first change to guest data: dirty bitmaps, and whatever else
    /// describes that data to programs that know it, stop being true then.
    mutating func clearAutoclear() throws(StorageError) {
        guard header.autoclear != 0 else { return }
        try file.write([UInt8](repeating: 0, count: 8), at: UInt64(QCOW2Header.Field.autoclear))
        try file.flush()
        header.autoclear = 0
    }

    /// The clusters of all tables and the numbers of the refcount blocks that there are, ascending; throws when a
    /// table lies outside the file or two overlap.
    private mutating func metadataClusters() throws(StorageError) -> (clusters: [UInt64], blocks: [UInt64]) {
        var blocks: [UInt64] = []
        let bits = UInt64(header.clusterBits)
        var clusters: [UInt64] = [0]
        let l1Clusters = (UInt64(header.l1Count) * 8).dividedRoundingUp(by: header.clusterSize)
        for index in 0..<l1Clusters { clusters.append(header.l1Offset >> bits + index) }
        for index in 0..<UInt64(header.refcountTableClusters) {
            clusters.append(header.refcountTableOffset >> bits + index)
        }
        var index: UInt64 = 0
        while let found = try pages.firstEntry(
            QCOW2Entry.offsetMask, at: header.l1Offset, from: index, to: UInt64(header.l1Count))
        {
            if let table = try l2Table(of: found) { clusters.append(table >> bits) }
            index = found + 1
        }
        index = 0
        while let found = try pages.firstEntry(
            ~511, at: header.refcountTableOffset, from: index, to: refcountTableCapacity),
            let block = try refcountBlock(found)
        {
            guard block % header.clusterSize == 0, block < file.byteCount else {
                throw .qcow2(
                    .refcountBlockOffset,
                    "the refcount block's offset \(block.hex) is not that of a cluster in the file",
                    structure: "refcount table", offset: header.refcountTableOffset + found * 8)
            }
            clusters.append(block >> bits)
            blocks.append(found)
            index = found + 1
        }
        clusters.sort()
        for (one, other) in zip(clusters, clusters.dropFirst()) where one == other {
            throw .qcow2(
                .metadataOverlap, "two tables claim the same cluster; repair it with qemu-img check -r all",
                offset: one << bits)
        }
        return (clusters, blocks)
    }

    /// The first cluster from `start` on past all that have a refcount: after a crash, clusters past the file's
    /// end can have one. A block device's end says nothing, so there all refcounts count.
    private mutating func firstUnused(
        from start: UInt64, blocks: [UInt64]
    ) throws(StorageError) -> UInt64 {
        let blockBits = UInt64(header.refcountBlockBits)
        let lowest = file.hasFixedLength ? 0 : start >> blockBits
        for index in blocks.reversed() where index >= lowest {
            guard let last = try lastUsed(inBlock: index) else { continue }
            let unused = index << blockBits + last + 1
            if file.hasFixedLength { return unused }
            guard unused > start else { return start }
            guard unused - start <= start + 4096 else {
                throw .qcow2(
                    .refcountBeyondEnd,
                    "a cluster far past the file's end has a refcount; repair it with qemu-img check -r all",
                    structure: "refcount block", offset: try refcountBlock(index))
            }
            return unused
        }
        return file.hasFixedLength ? 1 : start
    }

    /// Where new clusters must end: a device cannot grow, and entries have 56 bits for an offset.
    var allocationLimit: UInt64 { file.hasFixedLength ? file.byteCount : 1 << 55 }
}
